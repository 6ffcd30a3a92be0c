"""libRoadRunner in a process of its own: beside Numba, which has an LLVM too, it has crashed now and then."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np

from osteon.errors import SolveError


def simulate(sbml: str, names: list[str], times: list[float]) -> tuple[np.ndarray, str]:
    """Solve a model by CVODE, to a relative error of 1e-9 per step.

    Parameters
    ----------
    sbml : str
        The model.
    names : list of str
        What is told of it.
    times : list of float
        When, ascending from the model's start on [day].

    Returns
    -------
    (numpy.ndarray, str)
        Values of shape (names, times), and the version of libRoadRunner.

    Raises
    ------
    ModuleNotFoundError
        libRoadRunner is not installed.
    SolveError
        It ended without an answer.
    """
    if find_spec("roadrunner") is None:
        raise ModuleNotFoundError("libRoadRunner is not installed", name="roadrunner")
    asked = json.dumps({"sbml": sbml, "names": names, "times": times})
    done = subprocess.run([sys.executable, "-m", __name__], input=asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SolveError(f"libRoadRunner ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return np.array(told["values"]), told["version"]


def _answer() -> None:
    import roadrunner

    asked = json.load(sys.stdin)
    # Unoptimised code is compiled five times faster and runs fast enough here.
    roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
    roadrunner.Config.setValue(roadrunner.Config.LLJIT_OPTIMIZATION_LEVEL, roadrunner.Config.NONE)
    model = roadrunner.RoadRunner(asked["sbml"])
    model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-9, 1e-12
    model.integrator.maximum_num_steps = 200_000
    model.timeCourseSelections = asked["names"]
    rows = np.array(model.simulate(times=asked["times"]))
    json.dump({"values": rows.T.tolist(), "version": roadrunner.__version__}, sys.stdout)


if __name__ == "__main__":
    _answer()
