"""Curves of a callus that heals, made up: inflammation for weeks, stiffness for months."""

import numpy as np

TIME = np.arange(-7.0, 901.0)


def healing(half: float = 60.0, patients: int | None = None) -> dict[str, np.ndarray]:
    """Curves the function layer reads, stiff by half on the day `half`; NaN before the fracture."""
    after = np.maximum(TIME, 0.0)
    stiff = after**5 / (after**5 + half**5)
    found = {
        "inflammation": (0.9 + 0.3 * after) * np.exp(-after / 6),
        "torsional_stiffness": 1.1 * stiff,
        "torsional_strength": stiff,
    }
    found = {name: np.where(TIME < 0, np.nan, curve) for name, curve in found.items()}
    return found if patients is None else {name: np.tile(curve, (patients, 1)) for name, curve in found.items()}
