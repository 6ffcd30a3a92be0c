"""Which chart shows which series, in which section, and how its value axis runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chart:
    """One chart with a line per arm.

    Attributes
    ----------
    series : str
        Name of the variable in the course; also the key of its words.
    section : str
        ``healing``, ``systemic`` or ``further``.
    clock : str
        ``weeks`` since the fracture, or ``months`` over the whole time line.
    percent : bool
        A fraction that is shown in per cent.
    include : tuple of float
        Values (as shown) the axis always reaches.
    fixed : tuple of float or None
        Lower and upper end of the axis where they never move.
    reference : tuple of (float or str, str) or None
        A level to mark, or the key of the parameter that gives it, with the key of its label (empty for none).
    idle : float or None
        Value (as computed) without what moves the curve, such as its drug; a chart that never leaves it is left out.
    """

    series: str
    section: str
    clock: str
    percent: bool = False
    include: tuple[float, ...] = (0.0,)
    fixed: tuple[float, float] | None = None
    reference: tuple[float | str, str] | None = None
    idle: float | None = None


_INTACT = (100.0, "reference.intact")
_BASELINE = (0.0, "")
_LOW_CALCIUM = ("safety.hypocalcaemia", "reference.hypocalcaemia")

CHARTS = (
    Chart("torsional_stiffness", "healing", "weeks", percent=True, reference=_INTACT),
    Chart("torsional_strength", "healing", "weeks", percent=True, reference=_INTACT),
    Chart("callus_volume", "healing", "weeks"),
    Chart("mRUST", "healing", "weeks", include=(), fixed=(4.0, 16.0), reference=(10.0, "reference.union")),
    Chart("osteoclasts", "healing", "weeks"),
    Chart("osteoblasts", "healing", "weeks"),
    Chart("denosumab_serum", "systemic", "months", idle=0.0),
    Chart("free_rankl", "systemic", "months", percent=True, include=(0.0, 100.0), idle=1.0),
    Chart("romosozumab_serum", "systemic", "months", idle=0.0),
    Chart("free_sclerostin", "systemic", "months", percent=True, include=(0.0, 100.0), idle=1.0),
    Chart("teriparatide_serum", "systemic", "months", idle=0.0),
    Chart("teriparatide_effect", "systemic", "months", percent=True, include=(0.0, 100.0), idle=0.0),
    Chart("zoledronate_serum", "systemic", "months", idle=0.0),
    Chart("zoledronate_bone", "systemic", "months", idle=0.0),
    Chart("alendronate_bone", "systemic", "months", idle=0.0),
    Chart("bisphosphonate_inhibition", "systemic", "months", percent=True, include=(0.0, 100.0), idle=0.0),
    Chart("CTX", "systemic", "months", reference=_BASELINE),
    Chart("P1NP", "systemic", "months", reference=_BASELINE),
    Chart("BMD_lumbar_spine", "systemic", "months", reference=_BASELINE),
    Chart("BMD_total_hip", "systemic", "months", reference=_BASELINE),
    Chart("BMD_femoral_neck", "systemic", "months", reference=_BASELINE),
    Chart("serum_calcium", "systemic", "months", include=(), reference=_LOW_CALCIUM),
    Chart("callus_bone_volume_fraction", "further", "weeks", percent=True),
    Chart("callus_BMC", "further", "weeks"),
    Chart("callus_BMD", "further", "weeks"),
    Chart("inflammation", "further", "weeks"),
    Chart("BSAP", "further", "months", reference=_BASELINE),
    Chart("TRACP5b", "further", "months", reference=_BASELINE),
    Chart("systemic_osteoclasts", "further", "months"),
    Chart("systemic_osteoblasts", "further", "months"),
    Chart("precursors", "further", "months"),
    Chart("endogenous_pth", "further", "months"),
    Chart("calcium_uptake", "further", "months", reference=_BASELINE),
    Chart("systemic_tone", "further", "months", percent=True, include=(), idle=1.0),
)

# From the bottom of the stack to its top.
TISSUES = ("lamellar_bone", "woven_bone", "calcified_cartilage", "cartilage", "fibrous", "marrow")

STAGES = ("inflammation", "soft_callus", "hard_callus", "remodelling")


def unit_text(raw: str) -> str:
    """A unit as printed: ``mg/cm^3`` and ``mg/cm3`` become ``mg/cm³``."""
    for length in ("mm", "cm"):
        for power, sign in (("2", "²"), ("3", "³")):
            raw = raw.replace(f"{length}^{power}", length + sign).replace(length + power, length + sign)
    return raw
