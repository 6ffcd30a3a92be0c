"""Strain measures by name, on strain tensors with TENSOR shear: an engineering shear strain is twice its tensor value.

Published limits hold only with the measure they were given in, so every measure says its convention. `d1`, `d2`, `d3`
are the differences of the principal strains and `e'` is the deviatoric strain; then `d1² + d2² + d3² = 3 e':e'`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from osteon.errors import ModelError, near_match

Floats = NDArray[np.floating]

#: Factor on ``sqrt(e':e')`` of the measures that are called distortional strain in the literature on healing.
DISTORTIONAL = {
    "principal_differences": math.sqrt(3 / 2),
    "deviatoric_norm": 1.0,
    "von_mises": math.sqrt(2 / 3),
}


def tensor(normal: ArrayLike, engineering_shear: ArrayLike) -> Floats:
    """Strain tensor from normal strains and engineering shear strains, as finite-element programs give them.

    Parameters
    ----------
    normal : array_like, shape (..., 3)
        Strains xx, yy, zz [1].
    engineering_shear : array_like, shape (..., 3)
        Engineering shear strains yz, xz, xy [1].

    Returns
    -------
    numpy.ndarray, shape (..., 3, 3)
        Symmetric tensor [1] whose shears are half the engineering ones.
    """
    normal, shear = np.broadcast_arrays(np.asarray(normal, float), 0.5 * np.asarray(engineering_shear, float))
    xx, yy, zz = np.moveaxis(normal, -1, 0)
    yz, xz, xy = np.moveaxis(shear, -1, 0)
    rows = [np.stack(row, axis=-1) for row in ((xx, xy, xz), (xy, yy, yz), (xz, yz, zz))]
    return np.stack(rows, axis=-2)


def principal(strain: ArrayLike) -> Floats:
    """Principal strains, largest first, shape (..., 3) [1], of tensors of shape (..., 3, 3)."""
    return np.linalg.eigvalsh(_checked(strain))[..., ::-1]


def dilatational(strain: ArrayLike) -> Floats:
    """Mean normal strain, a third of the trace, shape (...) [1], of tensors of shape (..., 3, 3)."""
    return np.trace(_checked(strain), axis1=-2, axis2=-1) / 3


def octahedral_shear(strain: ArrayLike) -> Floats:
    """Octahedral shear strain ``(2/3) sqrt(d1² + d2² + d3²)``.

    This is the engineering shear on the octahedral plane, as in the stimulus of Prendergast.

    Parameters
    ----------
    strain : array_like, shape (..., 3, 3)
        Strain tensor [1] with tensor shear.

    Returns
    -------
    numpy.ndarray, shape (...)
        Octahedral shear strain [1], zero or more.
    """
    return 2 / math.sqrt(3) * _deviatoric_norm(strain)


def von_mises(strain: ArrayLike) -> Floats:
    """Von Mises equivalent strain ``sqrt((2/3) e':e')``, shape (...) [1], of tensors of shape (..., 3, 3).

    It is the axial strain of an incompressible bar pulled along its axis.
    """
    return math.sqrt(2 / 3) * _deviatoric_norm(strain)


def distortional(strain: ArrayLike, convention: str) -> Floats:
    """Distortional strain by a named convention.

    Parameters
    ----------
    strain : array_like, shape (..., 3, 3)
        Strain tensor [1] with tensor shear.
    convention : {"principal_differences", "deviatoric_norm", "von_mises"}
        ``sqrt((d1² + d2² + d3²) / 2)``, ``sqrt(e':e')`` or ``sqrt((2/3) e':e')``.

    Returns
    -------
    numpy.ndarray, shape (...)
        Distortional strain [1], zero or more.

    Raises
    ------
    ModelError
        The convention is unknown.
    """
    if convention not in DISTORTIONAL:
        known = ", ".join(DISTORTIONAL)
        guess = near_match(convention, DISTORTIONAL)
        raise ModelError(
            f"{convention} is no convention of distortional strain (allowed: {known}); {guess}".rstrip("; ")
        )
    return DISTORTIONAL[convention] * _deviatoric_norm(strain)


def uniaxial(axial: ArrayLike, poisson_ratio: float) -> Floats:
    """Tensor, shape (..., 3, 3) [1], of a bar under axial strain [1] whose sides are free."""
    return np.asarray(axial, float)[..., None, None] * np.diag([1.0, -poisson_ratio, -poisson_ratio])


def octahedral_shear_of_gap(interfragmentary_strain: ArrayLike, poisson_ratio: float) -> Floats:
    """Octahedral shear strain [1] of tissue in the gap: uniaxial strain with free sides.

    Equal to ``(2/3) sqrt(2) (1 + poisson_ratio)`` times the size of the interfragmentary strain [1], any shape.
    """
    return octahedral_shear(uniaxial(interfragmentary_strain, poisson_ratio))


def _deviatoric_norm(strain: ArrayLike) -> Floats:
    strain = _checked(strain)
    deviatoric = strain - dilatational(strain)[..., None, None] * np.eye(3)
    return np.sqrt(np.einsum("...ij,...ij->...", deviatoric, deviatoric))


def _checked(strain: ArrayLike) -> Floats:
    found = np.asarray(strain, dtype=float)
    if found.shape[-2:] != (3, 3):
        raise ModelError(f"a strain tensor has the shape (..., 3, 3), and this has {found.shape}")
    return found
