"""What is fitted to what: free parameters with their priors, observed rows, and the problem that joins the two."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np

from osteon.errors import ModelError

Scale = Literal["log", "logit", "linear"]
_LARGEST = 700.0  # exponentials beyond it overflow


@dataclass(frozen=True)
class Free:
    """A free parameter; z is its value on the scale that the fit works on.

    Attributes
    ----------
    key : str
        Parameter key, for example ``turnover.drug_loss``.
    scale : {"log", "logit", "linear"}
        z is log(x), log(x / (1 - x)) or x.
    centre : float
        Prior median, in the parameter's own unit.
    width : float
        Prior standard deviation of z.
    block : str
        Block that it is fitted in: ``core``, or a drug.
    """

    key: str
    scale: Scale
    centre: float
    width: float
    block: str = "core"

    def __post_init__(self) -> None:
        if self.scale not in get_args(Scale):
            raise ModelError(f"free parameter {self.key}: scale is {self.scale!r}, allowed are log, logit, linear")
        inside = {"log": self.centre > 0, "logit": 0 < self.centre < 1, "linear": bool(np.isfinite(self.centre))}
        if not inside[self.scale]:
            raise ModelError(f"free parameter {self.key}: centre {self.centre:g} lies outside its {self.scale} scale")
        if not (np.isfinite(self.width) and self.width > 0):
            raise ModelError(f"free parameter {self.key}: width is {self.width:g}, and must be above 0")

    @property
    def mean(self) -> float:
        """Prior mean of z."""
        return float(self.to_z(self.centre))

    def to_value(self, z: np.ndarray | float) -> np.ndarray:
        """Value in the parameter's own unit, for z of any shape."""
        z = np.asarray(z, float)
        if self.scale == "log":
            return np.exp(np.clip(z, -_LARGEST, _LARGEST))
        if self.scale == "logit":
            # The tangent form neither overflows nor loses digits in the middle.
            return 0.5 * (1.0 + np.tanh(0.5 * z))
        return z.copy()

    def to_z(self, value: np.ndarray | float) -> np.ndarray:
        """Place on the fitting scale of values of any shape."""
        value = np.asarray(value, float)
        if self.scale == "log":
            return np.log(value)
        if self.scale == "logit":
            return np.log(value) - np.log1p(-value)
        return value.copy()


@dataclass(frozen=True)
class Observed:
    """Published rows that a problem is fitted to.

    Attributes
    ----------
    value : ndarray
        Shape (n,), in the unit of the endpoint; of a censored row the limit below which it lies.
    sd : ndarray
        Shape (n,), the row's own error in the same unit.
    study, arm, endpoint : ndarray of str
        Shape (n,). Rows of one study and endpoint share an offset.
    day : ndarray
        Shape (n,) [day].
    censored : ndarray of bool
        Shape (n,), true where all that is known is that the value lies at or below `value`.
    tau : mapping of str to float
        Standard deviation of the study offset by endpoint; an endpoint that is not named has none.
    """

    value: np.ndarray
    sd: np.ndarray
    study: np.ndarray
    arm: np.ndarray
    endpoint: np.ndarray
    day: np.ndarray
    censored: np.ndarray
    tau: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = np.shape(self.value)
        for name in ("sd", "study", "arm", "endpoint", "day", "censored"):
            if np.shape(getattr(self, name)) != rows:
                raise ModelError(f"observed {name} has shape {np.shape(getattr(self, name))}, and value has {rows}")
        if not (np.all(np.isfinite(self.value)) and np.all(np.isfinite(self.sd)) and np.all(np.asarray(self.sd) > 0)):
            raise ModelError("an observed row has no value, or an error that is not above 0")

    def __len__(self) -> int:
        return len(self.value)

    def content_hash(self) -> str:
        """SHA-256 over every row and the study offsets."""
        columns = (self.value, self.sd, self.study, self.arm, self.endpoint, self.day, self.censored)
        rows = [repr(tuple(one)) for one in zip(*(np.asarray(column).tolist() for column in columns), strict=True)]
        tau = sorted((str(name), float(one)) for name, one in self.tau.items())
        return hashlib.sha256("\n".join([*rows, repr(tau)]).encode()).hexdigest()


class Problem(Protocol):
    """A model seen as numbers to fit: free parameters in, one predicted number a row out.

    A problem of a later block may list parameters of earlier blocks too; they are held at their fitted values while
    the block is fitted, and tell how the block follows them.
    """

    @property
    def structure(self) -> str:
        """Structural option of the model, for example ``recycling_half``."""
        ...

    @property
    def block(self) -> str:
        """Block that is fitted here."""
        ...

    @property
    def free(self) -> tuple[Free, ...]:
        """Free parameters, p of them."""
        ...

    @property
    def observed(self) -> Observed:
        """Rows, n of them."""
        ...

    def predict(self, z: np.ndarray) -> np.ndarray:
        """Predicted rows, shape (m, n), of points z, shape (m, p); a point that failed is a row of NaN."""
        ...


@dataclass(frozen=True)
class Held:
    """A problem in which some parameters are fixed; the others are its free ones.

    Attributes
    ----------
    problem : Problem
        With all parameters.
    fixed : mapping of str to float
        z by key.
    """

    problem: Problem
    fixed: Mapping[str, float]

    @property
    def structure(self) -> str:
        """Structural option of the model."""
        return self.problem.structure

    @property
    def block(self) -> str:
        """Block that is fitted here."""
        return self.problem.block

    @property
    def free(self) -> tuple[Free, ...]:
        """Parameters that are not fixed."""
        return tuple(one for one in self.problem.free if one.key not in self.fixed)

    @property
    def observed(self) -> Observed:
        """Rows of the whole problem."""
        return self.problem.observed

    def predict(self, z: np.ndarray) -> np.ndarray:
        """Predicted rows, shape (m, n), of the parameters that are not fixed, shape (m, p)."""
        whole = np.empty((len(z), len(self.problem.free)))
        place = 0
        for k, one in enumerate(self.problem.free):
            if one.key in self.fixed:
                whole[:, k] = self.fixed[one.key]
            else:
                whole[:, k] = z[:, place]
                place += 1
        return self.problem.predict(whole)


def read_free(path: str | Path) -> tuple[Free, ...]:
    """Read free parameters from TOML: a table ``[module.name]`` each, with scale, centre, width and block.

    Raises
    ------
    ModelError
        An entry lacks a field, or its prior is not allowed.
    """
    found = []
    for module, table in tomllib.loads(Path(path).read_text(encoding="utf-8")).items():
        for name, entry in table.items() if isinstance(table, dict) else ():
            missing = {"scale", "centre", "width", "block"} - set(entry)
            if missing:
                raise ModelError(f"free parameter {module}.{name} lacks {', '.join(sorted(missing))}")
            prior = (entry["scale"], float(entry["centre"]), float(entry["width"]))
            found.append(Free(f"{module}.{name}", *prior, entry["block"]))
    return tuple(found)


def free_hash(free: Sequence[Free]) -> str:
    """SHA-256 over free parameters and their priors."""
    text = "\n".join(repr((one.key, one.scale, one.centre, one.width, one.block)) for one in free)
    return hashlib.sha256(text.encode()).hexdigest()
