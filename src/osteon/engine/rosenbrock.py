"""Rosenbrock integration with step-size control and dense output, in plain Python.

One step solves ``(I / (gamma h) - J) u_i = f(y + sum a_ij u_j) + sum c_ij u_j / h`` for each stage. The last stage is
the error estimate. The model has no explicit time, so stages need no time derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from osteon.errors import SolveError

State = list[float]
FIRST_STEP = 0.01  # day
MOST_STEPS = 100_000
MOST_TRIES = 60
#: A state may fall this far below zero, relative to its scale, before the patient counts as failed.
SLACK = 1e-6


@dataclass(frozen=True)
class Tableau:
    """Coefficients of a Rosenbrock pair with dense output, in the form without matrix products.

    `a` and `c` are lower triangles, `h` the rows of the dense output; the last stage is the embedded error.
    """

    name: str
    order: int
    gamma: float
    a: tuple[tuple[float, ...], ...]
    c: tuple[tuple[float, ...], ...]
    h: tuple[tuple[float, ...], ...]


# Steinebach G, BIT Numer Math 2023;63:27, doi 10.1007/s10543-023-00967-x
_LAST = (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946)
RODAS5P = Tableau(
    name="Rodas5P",
    order=5,
    gamma=0.21193756319429014,
    a=(
        (),
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        _LAST,
        (*_LAST, 1.0),
        (*_LAST, 1.0, 1.0),
    ),
    c=(
        (),
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
        ),
        (
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ),
    ),
    h=(
        (
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ),
        (
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ),
        (
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ),
    ),
)


# Hairer E, Wanner G, Solving Ordinary Differential Equations II, 1996, section IV.7 and the code RODAS
RODAS4 = Tableau(
    name="Rodas4",
    order=4,
    gamma=0.25,
    a=(
        (),
        (1.544,),
        (0.9466785280815826, 0.2557011698983284),
        (3.314825187068521, 2.896124015972201, 0.9986419139977817),
        (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895),
        (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895, 1.0),
    ),
    c=(
        (),
        (-5.6688,),
        (-2.430093356833875, -0.2063599157091915),
        (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
        (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616),
        (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
    ),
    h=(
        (10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662, 0.0),
        (-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872, 0.0),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ),
)


@dataclass(frozen=True)
class Functions:
    """What a generated kernel gives for one set of parameters."""

    rhs: Callable[[State], State]
    factor: Callable[[State, float], tuple[State, tuple[float, ...]]]
    solve: Callable[[tuple[float, ...], State], State]


class Trajectory:
    """A solution that is stepped on only as far as somebody asks.

    Steps are never cut short for an output or a dose: both are read from the dense output. Two courses that share
    their past therefore share it to the last bit.

    Parameters
    ----------
    functions : Functions
        Rates, factored matrix and solution for one patient.
    t0 : float
        Start [day].
    y0 : sequence of float
        State at `t0`.
    scale : sequence of float
        Usual size of each state; errors are kept below ``tolerance * max(|y|, scale)``.
    tolerance : float
        Error allowed per step, relative.
    """

    def __init__(
        self,
        functions: Functions,
        t0: float,
        y0: Sequence[float],
        scale: Sequence[float],
        tolerance: float,
        tableau: Tableau = RODAS5P,
    ) -> None:
        self._functions, self._tolerance, self._tableau = functions, tolerance, tableau
        self._scale = np.asarray(scale, float)
        self._rows = [(np.array(a), np.array(c)) for a, c in zip(tableau.a[1:], tableau.c[1:], strict=True)]
        self._output = np.array(tableau.h)
        self.t: list[float] = [float(t0)]
        self._y = np.array(y0, float)
        self._h = FIRST_STEP
        self._dense: list[np.ndarray] = []
        self.rejected = 0

    @property
    def steps(self) -> int:
        """Number of accepted steps so far."""
        return len(self._dense)

    def at(self, t: float) -> State:
        """State at time `t` [day], at or after the start."""
        return self.sample(np.array([t]))[:, 0].tolist()

    def sample(self, times: np.ndarray) -> np.ndarray:
        """States at `times` [day], at or after the start; shape (state, time)."""
        if not len(times):
            return np.empty((len(self._y), 0))
        while self.t[-1] < times.max():
            self._step()
        if not self._dense:
            return np.repeat(self._y[:, None], len(times), axis=1)
        edges = np.array(self.t)
        place = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(self._dense) - 1)
        y0, y1, k1, k2, k3 = np.moveaxis(np.array([self._dense[i] for i in place]), 1, 0)
        x = ((times - edges[place]) / (edges[place + 1] - edges[place]))[:, None]
        return ((1 - x) * y0 + x * (y1 + (1 - x) * (k1 + x * (k2 + x * k3)))).T

    def fastest(self) -> int:
        """Number of the state that changes fastest relative to its size, where the solution stands."""
        try:
            rates = np.abs(self._functions.rhs(self._y.tolist()))
        except (ArithmeticError, ValueError, TypeError):
            return int(np.argmax(np.abs(self._y) / self._scale))
        return int(np.argmax(rates / np.maximum(np.abs(self._y), self._scale)))

    def _step(self) -> None:
        """Take one step: halve or shrink until the error is small enough, then keep it with its dense output."""
        y, h, order = self._y, self._h, self._tableau.order
        for _ in range(MOST_TRIES):
            if self.t[-1] + h <= self.t[-1]:
                raise SolveError(f"no step was small enough at day {self.t[-1]:.6g}", self.t[-1])
            try:
                # A step that overflows is too long; it is tried again shorter, without a warning.
                with np.errstate(all="ignore"):
                    new, stages = self._stages(y, h)
                    size = np.maximum(np.maximum(np.abs(y), np.abs(new)), self._scale)
                    error = float(np.max(np.abs(stages[-1]) / size)) / self._tolerance
            except (ZeroDivisionError, OverflowError, ValueError, TypeError):
                # A power of a number below zero is complex, which no other function takes.
                error = math.nan
            change = 0.25 if not math.isfinite(error) else min(6.0, max(0.2, 0.9 * max(error, 1e-10) ** (-1 / order)))
            if error <= 1.0:
                break
            self.rejected += 1
            h *= min(change, 0.9)
        else:
            raise SolveError(f"no step was small enough at day {self.t[-1]:.6g}", self.t[-1])
        self._dense.append(np.vstack((y, new, self._output @ stages)))
        self.t.append(self.t[-1] + h)
        self._y, self._h = new, h * change
        if len(self._dense) > MOST_STEPS:
            raise SolveError(f"more than {MOST_STEPS} steps were needed before day {self.t[-1]:.6g}", self.t[-1])

    def _stages(self, y: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
        """New state and the stages of a step of size `h`; the last stage is the error."""
        rhs, solve = self._functions.rhs, self._functions.solve
        f, lu = self._functions.factor(y.tolist(), 1.0 / (self._tableau.gamma * h))
        stages = np.empty((len(self._rows) + 1, len(y)))
        stages[0] = solve(lu, f)
        point = y
        for number, (a, c) in enumerate(self._rows, 1):
            point = y + a @ stages[:number]
            right = np.array(rhs(point.tolist())) + (c @ stages[:number]) / h
            stages[number] = solve(lu, right.tolist())
        return point + stages[-1], stages
