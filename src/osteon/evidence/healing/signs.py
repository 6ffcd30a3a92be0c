"""What the rows are compared with, and the score of directions: which member has the observed sign, and how often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon.errors import InputError, near_match, show
from osteon.evidence.healing.arms import parts_of
from osteon.evidence.healing.quantities import quantity
from osteon.evidence.healing.rows import DEAD_BAND, HealingRow
from osteon.evidence.healing.sorting import INTACT

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class SignVerdict:
    """One direction as observed and as the members have it.

    Attributes
    ----------
    observed, predicted : int
        Observed sign, and that of the median member: -1, 0 (inside the dead band) or 1.
    effect, low, high : float
        Median and 5th and 95th percentile of the relative effect [1]; nan where no member has one.
    agreeing : float
        Share of all members with the observed sign [1]; a member without a value does not agree.
    right : bool
        Whether the median has the observed sign.
    """

    study: str
    species: str
    arm: str
    against: str
    day: float
    quantity: str
    endpoint: str
    use: str
    observed: int
    predicted: int
    effect: float
    low: float
    high: float
    agreeing: float
    right: bool


@dataclass(frozen=True, slots=True)
class SignScore:
    """The verdicts on all rows, and totals."""

    verdicts: tuple[SignVerdict, ...]

    @property
    def right(self) -> int:
        """How many directions the median has right."""
        return sum(one.right for one in self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    @property
    def by_study(self) -> dict[str, tuple[int, int]]:
        """Directions right and directions in all, by study."""
        studies = dict.fromkeys(one.study for one in self.verdicts)
        ours = {study: [one.right for one in self.verdicts if one.study == study] for study in studies}
        return {study: (sum(right), len(right)) for study, right in ours.items()}

    @property
    def misses(self) -> tuple[SignVerdict, ...]:
        """Verdicts whose median has another sign than observed."""
        return tuple(one for one in self.verdicts if not one.right)

    def frame(self) -> pd.DataFrame:
        """Return the verdicts as a data frame."""
        import pandas as pd

        return pd.DataFrame([asdict(one) for one in self.verdicts], columns=pd.Index(SignVerdict.__dataclass_fields__))


def needed_curves(rows: Iterable[HealingRow]) -> dict[str, frozenset[str]]:
    """Return the simulated arms that rows need, each with the names of its curves."""
    found: dict[str, frozenset[str]] = {}
    for row in rows:
        for key in {row.arm, row.against} - {"", INTACT}:
            for part in parts_of(key):
                found[part] = found.get(part, frozenset()) | quantity(row.quantity).needs
    return found


def predicted(
    rows: Sequence[HealingRow], time: np.ndarray, curves: Mapping[str, Mapping[str, np.ndarray]]
) -> np.ndarray:
    """Return what the rows are compared with.

    Parameters
    ----------
    rows : sequence of HealingRow
        The rows.
    time : ndarray
        Days of the curves, ascending, shape (time,) [day].
    curves : mapping of str to mapping of str to ndarray
        By arm and name, as `needed_curves` lists them, each of shape (..., time); the same leading shape for all.

    Returns
    -------
    ndarray
        Shape (..., rows): a ratio [1], or the quantity in its own unit; a pooled arm is the mean of its parts.
    """
    values = [_predicted(row, time, curves) for row in rows]
    return np.stack(np.broadcast_arrays(*values), axis=-1) if values else np.zeros(0)


def relative_effects(
    rows: Sequence[HealingRow], time: np.ndarray, curves: Mapping[str, Mapping[str, np.ndarray]]
) -> np.ndarray:
    """Return the relative effect of each row, the ratio less one, shape (..., rows) [1]; see `predicted`.

    Raises
    ------
    InputError
        A row is not a ratio.
    """
    for row in rows:
        if row.contrast != "ratio":
            message = "has no direction: its value is not a ratio"
            raise InputError(message, path=f"{row.file}, row {row.line}", hint="choose rows with sign_rows")
    return predicted(rows, time, curves) - 1.0


def score_signs(rows: Sequence[HealingRow], predictions: np.ndarray, band: float = DEAD_BAND) -> SignScore:
    """Score directions.

    Parameters
    ----------
    rows : sequence of HealingRow
        Rows whose contrast is a ratio, as `sign_rows` chooses them.
    predictions : array_like
        Relative effect of each row, shape (members, rows) [1].
    band : float
        An effect smaller than this is none [1].

    Returns
    -------
    SignScore
        A verdict for each row, in their order.

    Raises
    ------
    InputError
        The shapes do not fit, or the band is not between 0 and 1.
    """
    effects = np.asarray(predictions, float)
    if effects.ndim != 2 or effects.shape[1] != len(rows) or not len(effects):
        message = f"has the shape {effects.shape} (allowed: one member or more, by {len(rows)} rows)"
        raise InputError(message, path="predictions")
    if not 0 < band < 1:
        raise InputError(f"{band} is outside the allowed range of above 0 and below 1", path="band", value=band)
    return SignScore(tuple(_verdict(row, effects[:, column], band) for column, row in enumerate(rows)))


def _verdict(row: HealingRow, effects: np.ndarray, band: float) -> SignVerdict:
    known = effects[~np.isnan(effects)]
    low, middle, high = (np.nan,) * 3
    if len(known):
        # Limits are values of members: between infinite ones, where a control has none, nothing can be interpolated.
        low, high = np.percentile(known, 5, method="lower"), np.percentile(known, 95, method="higher")
        middle = np.median(known)
    agreeing = float((_signs(known, band) == row.sign).sum() / len(effects))
    sign = int(_signs(np.array([middle]), band)[0]) if len(known) else 0
    return SignVerdict(
        study=row.study,
        species=row.species,
        arm=row.arm,
        against=row.against,
        day=row.day,
        quantity=row.quantity,
        endpoint=row.endpoint,
        use=row.use,
        observed=row.sign,
        predicted=sign,
        effect=float(middle),
        low=float(low),
        high=float(high),
        agreeing=agreeing,
        right=bool(len(known)) and sign == row.sign,
    )


def _signs(effects: np.ndarray, band: float) -> np.ndarray:
    return np.where(np.abs(effects) < band, 0, np.sign(effects)).astype(int)


def _predicted(row: HealingRow, time: np.ndarray, curves: Mapping[str, Mapping[str, np.ndarray]]) -> np.ndarray:
    value = _value(row, row.arm, row.day, time, curves)
    if row.contrast != "ratio" or row.against == INTACT:
        return value
    other = _value(row, row.against, row.against_day, time, curves)
    # Two empty values are equal; something beside nothing is infinitely more.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((value == 0) & (other == 0), 1.0, value / other)


def _value(row: HealingRow, arm: str, day: float, time: np.ndarray, curves: Mapping[str, Mapping]) -> np.ndarray:
    one = quantity(row.quantity)
    found = []
    for key in parts_of(arm):
        missing = one.needs - set(curves.get(key, ()))
        if missing:
            hint = near_match(key, curves) if key not in curves else ""
            message = f"the arm {show(key)} has no curve {', '.join(sorted(missing))}"
            raise InputError(message, path="curves", value=key, hint=hint)
        found.append(one.evaluate(time, curves[key], day))
    return found[0] if len(found) == 1 else np.mean(np.broadcast_arrays(*found), axis=0)
