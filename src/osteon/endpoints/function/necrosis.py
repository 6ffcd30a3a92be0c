"""Avascular necrosis of the femoral head after a fracture of its neck, by displacement, blood supply and time.

The size comes from pooled series with mixed follow-up, so "ever" means within some years. Time to surgery had no effect
in them and is not in it. How the flap and blood supply act is assumed: no controlled series tells.
"""

from __future__ import annotations

import math

import numpy as np

from osteon.endpoints.function.values import Traits, Values, power


def necrosis_hazard(time: np.ndarray, traits: Traits, p: Values) -> np.ndarray:
    """Hazard of avascular necrosis [1/day], shape (..., time); see `necrosis_risk`."""
    half, shape = (np.asarray(p[f"necrosis.{name}"], float)[..., None] for name in ("half_time", "time_shape"))
    ratio = np.maximum(time, 0.0) / half
    speed = math.log(2) * shape / half * power(ratio, shape - 1) * np.exp2(-power(ratio, shape))
    return _most(traits, p)[..., None] * np.where(time >= 0, speed, 0.0)


def necrosis_risk(time: np.ndarray, traits: Traits, p: Values) -> np.ndarray:
    """Share of patients with avascular necrosis by a time, without competing events.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, shape (time,).
    traits : Traits
        Displacement, flap and blood supply, numbers or of shape (...).
    p : mapping of str to float or ndarray
        Parameters ``necrosis.*``, floats or of shape (...).

    Returns
    -------
    ndarray
        From 0 to 1, shape (..., time).
    """
    half, shape = (np.asarray(p[f"necrosis.{name}"], float)[..., None] for name in ("half_time", "time_shape"))
    come = 1 - np.exp2(-power(time / half, shape))
    return -np.expm1(-_most(traits, p)[..., None] * come)


def blood_supply(time: np.ndarray, vascularity: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Blood supply over that of a usual patient, from curves of vascularity.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, shape (time,).
    vascularity : ndarray
        Vascularity of the callus, 0 to 1, shape (..., time).
    usual : ndarray
        That of a usual patient with the same fracture, shape (time,).

    Returns
    -------
    ndarray
        Above 1 where vessels come back sooner, shape (...): the usual time without vessels over the patient's own.
    """
    without, reference = (np.trapezoid(1 - one, time, axis=-1) for one in (vascularity, usual))
    return reference / without


def _most(traits: Traits, p: Values) -> np.ndarray:
    """Cumulative hazard after a long time, shape (...)."""
    rate = np.where(traits.displaced, p["necrosis.displaced"], p["necrosis.undisplaced"])
    flap = np.where(traits.flap, p["necrosis.flap_ratio"], 1.0)
    supply = power(np.asarray(traits.blood_supply, float), -np.asarray(p["necrosis.supply_exponent"], float))
    return -np.log1p(-rate) * flap * supply
