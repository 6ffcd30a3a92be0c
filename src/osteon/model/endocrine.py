"""Age and oestrogen: the RANKL drive that rises when oestrogen falls, relative to the patient's own start.

Oestrogen is full until menopause and then falls as ``1 / (1 + years / tau)``. Women whose menopause is recent see
turnover rise in the years that follow; ten years after it the drive hardly moves. Calcium and vitamin D that a trial
starts for all its patients lower the drive over weeks: the drift of its placebo arm.
"""

from osteon.model.maths import positive
from osteon.model.module import Module, Signal, State

STATES = {
    "age": State("yr", "age of the patient", "age_at_start", scale=10.0, signal="age"),
    "supplemented": State("1", "effect reached of calcium and vitamin D started at the beginning", 0.0),
}
OUTPUTS = {
    "oestrogen": Signal("1", "oestrogen relative to before menopause"),
    "systemic_tone": Signal("1", "RANKL drive of age and oestrogen relative to baseline"),
}


def _oestrogen(age, p):
    return p.oestrogen_time / (p.oestrogen_time + positive(age - p.menopause, p.menopause_width))


def signals(s, p, signal):
    """Oestrogen now, and the drive over that at the start."""
    now, start = _oestrogen(s.age, p), _oestrogen(p.age_at_start, p)
    return {
        "oestrogen": now,
        "systemic_tone": (1 - p.supplement_effect * s.supplemented)
        * (1 + p.oestrogen_drive * (1 - now))
        / (1 + p.oestrogen_drive * (1 - start)),
    }


def rates(s, p, signal):
    """A year a year; supplements work over weeks."""
    return {"age": 1 / p.days_per_year, "supplemented": (p.supplements - s.supplemented) / p.supplement_time}


MODULE = Module(
    name="endocrine",
    states=STATES,
    rates=rates,
    signals=signals,
    outputs=OUTPUTS,
    tables=("endocrine", "constants"),
    reference="form and times of Joerg 2022, eLife 11:e76228",
    limits="Women after natural menopause; the drive is off in men and animals. Age of menopause is a population mean.",
)
