"""Random numbers by key: (seed, patient, purpose) gives the same number whatever else is drawn, and in any order.

The generator is Philox 4x64, whose output is a pure function of a key and a counter. The key is the seed and the first
64 bits of the SHA-256 of the purpose, the counter is the number of the patient.
"""

from __future__ import annotations

import hashlib

import numpy as np

from osteon.errors import InputError, show

_WORDS = 4  # 64-bit words that one value of the counter gives; the first is used
_LARGEST = 2**63


def uniform(seed: int, lo: int, hi: int, purpose: str) -> np.ndarray:
    """Uniform numbers of patients `lo` to `hi`, the last left out.

    Parameters
    ----------
    seed : int
        From 0 to below 2**64.
    lo, hi : int
        Range of patient numbers, from 0 to 2**63.
    purpose : str
        What the number is for; another purpose gives independent numbers.

    Returns
    -------
    ndarray
        Shape (hi - lo,), each above 0 and below 1.

    Raises
    ------
    InputError
        The seed or the range is not allowed.
    """
    _check(seed, lo, hi)
    stream = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "little")
    generator = np.random.Philox(key=np.array([seed, stream], np.uint64), counter=int(lo))
    words = generator.random_raw(_WORDS * (int(hi) - int(lo)))[::_WORDS]
    # 52 bits and a half, so that neither 0 nor 1 can come out after rounding.
    return ((words >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52


def normal(seed: int, lo: int, hi: int, purpose: str) -> np.ndarray:
    """Standard normal numbers of patients `lo` to `hi`, shape (hi - lo,); see `uniform`."""
    return quantile(uniform(seed, lo, hi, purpose))


def quantile(share: np.ndarray) -> np.ndarray:
    """Values below which a share of the standard normal distribution lies, shape (n,); shares within (0, 1)."""
    # Of the standard library: importing SciPy for this would cost more than all draws of a large cohort.
    from statistics import NormalDist

    inside = np.clip(share, 2.0**-1022, 1 - 2.0**-53)
    return np.fromiter(map(NormalDist().inv_cdf, inside.tolist()), float, inside.size)


def _check(seed: int, lo: int, hi: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise InputError(f"{show(seed)} is not a whole number from 0 to below 2^64", path="seed", value=seed)
    for name, number in (("lo", lo), ("hi", hi)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number <= _LARGEST:
            raise InputError(f"{show(number)} is not a patient number from 0 to 2^63", path=name, value=number)
    if hi < lo:
        raise InputError(f"{show(hi)} lies before the first patient, {lo}", path="hi", value=hi)
