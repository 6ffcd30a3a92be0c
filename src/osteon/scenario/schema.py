"""The published JSON schema of a scenario, from which an editor can check a file and a page can build a form."""

from __future__ import annotations

from typing import Any

from osteon.scenario.model import Scenario

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a scenario.

    Quantities are text with a unit; ``x-unit``, ``x-minimum`` and ``x-maximum`` say in which unit and range,
    ``x-title-zh`` and ``x-choices`` carry Chinese titles, ``x-range-by-species`` what depends on the species.
    """
    schema = Scenario.model_json_schema(mode="validation")
    described = {"title": "osteon scenario", "x-title-zh": "osteon 模拟方案"}
    described["description"] = "One patient, one fracture or none, and the treatments that are compared."
    # What depends on the species is filled in on reading, so a person need not write it.
    patient = schema["$defs"]["Patient"]
    patient["required"] = [name for name in patient.get("required", []) if name not in ("age", "weight")]
    if not patient["required"]:
        del patient["required"]
    # The generator leaves out a title that equals the name of the record.
    schema["properties"]["patient"] = {"title": "Patient", **schema["properties"]["patient"]}
    del schema["$defs"]["Fracture"]["properties"]["gap"]["default"]
    return {"$schema": DIALECT, **schema, **described}
