"""What a person writes: a patient, a fracture and the treatments to compare."""

from osteon.scenario.arm import Arm
from osteon.scenario.library import Preset, preset_text, presets
from osteon.scenario.model import Scenario
from osteon.scenario.nonmem import DosesCsv
from osteon.scenario.notes import Note
from osteon.scenario.patient import Fracture, Patient
from osteon.scenario.quantity import Amount
from osteon.scenario.treatment import Dose, DoseEvent, Impose

__all__ = [
    "Amount",
    "Arm",
    "Dose",
    "DoseEvent",
    "DosesCsv",
    "Fracture",
    "Impose",
    "Note",
    "Patient",
    "Preset",
    "Scenario",
    "preset_text",
    "presets",
]
