"""The errors osteon raises on purpose; each is one clear sentence and knows its exit code."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any


class OsteonError(Exception):
    """Base of every error that osteon raises on purpose.

    Attributes
    ----------
    exit_code : int
        Status with which the command line ends.
    """

    exit_code = 1


class Interrupted(OsteonError):
    """Ctrl-C: says what is kept."""

    exit_code = 130


class InputError(OsteonError):
    """Something a person wrote cannot be used.

    Parameters
    ----------
    message : str
        What is wrong, with the value and what is allowed, without the path and without a full stop.
    path : str
        Where, for example ``arms[0].doses[1].amount``; for a file as a whole, its name.
    value : object
        The value that was refused.
    hint : str
        What to write instead.
    others : int
        How many further faults were found beside this one.
    """

    exit_code = 2

    def __init__(self, message: str, *, path: str = "", value: Any = None, hint: str = "", others: int = 0) -> None:
        self.message = _one_line(message)
        self.path = _short(_one_line(path))
        self.value = value
        self.hint = _one_line(hint)
        self.others = others
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{where}{self.message}{hint}{'' if hint.endswith('?') else '.'}"

    def at(self, path: str) -> InputError:
        """Return the same error at another place."""
        return type(self)(self.message, path=path, value=self.value, hint=self.hint, others=self.others)

    def __reduce__(self) -> tuple[Any, ...]:
        # An error must survive the way back from a worker process.
        return type(self), (self.message,), {name: getattr(self, name) for name in ("path", "value", "hint", "others")}


class UnitError(InputError):
    """A quantity has no unit, an unknown one, or one of the wrong dimension."""


class ModelError(OsteonError):
    """A model or its parameters are put together wrongly."""


class SolveError(OsteonError):
    """The equations of a patient could not be solved.

    Parameters
    ----------
    message : str
        What happened, with day and state.
    day : float
        When [day].
    state : str
        Which state changed fastest then, or was wrong.
    """

    exit_code = 3

    def __init__(self, message: str, day: float = float("nan"), state: str = "") -> None:
        self.day, self.state = day, state
        super().__init__(message, day, state)

    def __str__(self) -> str:
        return self.args[0]


class MissingExtra(OsteonError):
    """An optional package is not installed.

    Parameters
    ----------
    what : str
        What was asked for, as the start of a sentence, for example ``SBML export``.
    extra : str
        Name of the optional group of `osteon` that brings it, for example ``exchange``.
    """

    exit_code = 2

    def __init__(self, what: str, extra: str) -> None:
        self.what = what
        self.extra = extra
        super().__init__(what, extra)

    def __str__(self) -> str:
        return f'{self.what} needs an optional package: pip install "osteon[{self.extra}]".'


def show(value: Any, width: int = 60) -> str:
    """Return a value as short text on one line, as a person would recognise it from the file."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict | list | tuple):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a very large whole number"
    text = _one_line(str(value) if not isinstance(value, str) else value)
    text = text if len(text) <= width else f"{text[: width - 3]}..."
    return f'"{text}"' if isinstance(value, str) else text


def near_match(word: Any, known: Any) -> str:
    """Return ``did you mean "..."?`` for the closest known word, or an empty text."""
    folded = {str(name).lower(): str(name) for name in known}
    close = get_close_matches(str(word)[:60].lower().replace(" ", "_").replace("-", "_"), folded, n=1, cutoff=0.6)
    return f'did you mean "{folded[close[0]]}"?' if close else ""


def _short(path: str, most: int = 200) -> str:
    """Return a long path with its middle left out; both ends tell a reader which it is."""
    return path if len(path) <= most else f"{path[: most // 2]}...{path[-most // 2 :]}"


def _one_line(text: str) -> str:
    """Replace line breaks and unprintable characters, so that an error stays one line."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
