"""One arm: what the patient is given, and the effects imposed instead."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, model_validator

from osteon.errors import InputError
from osteon.scenario.base import Model, described, from_input_error, refuse
from osteon.scenario.nonmem import DosesCsv, read_doses
from osteon.scenario.patient import Patient
from osteon.scenario.quantity import MOST_EVENTS, Name, listing
from osteon.scenario.treatment import Dose, DoseEvent, Impose

#: Effects that may be imposed, and the drugs that cause them.
_CAUSES = {
    "free_rankl": ("denosumab",),
    "bisphosphonate_inhibition": ("alendronate", "zoledronate"),
    "pth": ("teriparatide",),
}


class Arm(Model):
    """One course of treatment of the patient; arms differ in treatment only.

    A CSV of doses is read on construction: its rows become ordinary `doses`, and `doses_csv` is then empty.
    """

    name: Name = described("Name", "组名", "Short name of the arm, unique in the scenario.", examples=["hold"])
    doses: Annotated[tuple[Dose, ...], BeforeValidator(listing("doses", MOST_EVENTS))] = described(
        "Doses", "给药方案", "Doses and series of doses.", default=()
    )
    doses_csv: str | DosesCsv | None = described(
        "Doses from a CSV file",
        "来自 CSV 文件的给药记录",
        "NONMEM-style file with the columns TIME, AMT, II, ADDL, EVID, CMT; a name alone means days and mg.",
        default=None,
        examples=["doses.csv"],
    )
    impose: Impose | None = described(
        "Imposed effects", "直接设定的效应", "Effects held from the fracture on instead of a drug.", default=None
    )

    @classmethod
    def _prepare(cls, data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if data.get("doses_csv") is None:
            return data
        base_dir = info.context.get("base_dir") if isinstance(info.context, dict) else None
        try:
            rows = read_doses(data["doses_csv"], base_dir)
        except InputError as error:
            within = f".{error.path}" if error.path else ""
            raise from_input_error(error, f"doses_csv{within}") from None
        written = data.get("doses", ())
        if not isinstance(written, list | tuple):
            return data
        return {**data, "doses": [*written, *rows], "doses_csv": None}

    @model_validator(mode="after")
    def _few_doses_and_one_cause(self) -> Arm:
        total = sum(dose.count for dose in self.doses)
        if total > MOST_EVENTS:
            raise refuse(f"has {total} single doses, and at most {MOST_EVENTS} are allowed", total, path="doses")
        for effect, causes in _CAUSES.items():
            given = next((dose.drug for dose in self.doses if dose.drug in causes), None)
            if given and getattr(self.impose, effect, None) is not None:
                hint = "remove the doses or the imposed effect"
                raise refuse(f"cannot be imposed in an arm that doses {given}", hint=hint, path=f"impose.{effect}")
        return self

    def dose_events(self, patient: Patient) -> tuple[DoseEvent, ...]:
        """Return the single doses of the arm.

        Parameters
        ----------
        patient : Patient
            Gives the body weight for amounts per kg.

        Returns
        -------
        tuple of DoseEvent
            Times [day], amounts [mg]; sorted by time, drug, route and amount.
        """
        events = (event for dose in self.doses for event in dose.events(patient.weight))
        return tuple(sorted(events, key=lambda event: (event.time, event.drug, event.route, event.amount)))
