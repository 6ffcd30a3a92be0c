"""The published JSON schema of a study, from which an editor can check a file and a page can build a form."""

from __future__ import annotations

from typing import Any

from osteon.scenario.schema import DIALECT
from osteon.trial.study import Study


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a study, in the terms of that of a scenario."""
    schema = Study.model_json_schema(mode="validation")
    described = {"title": "osteon study", "x-title-zh": "osteon 研究方案"}
    described["description"] = "A clinical trial: people, arms, visits, endpoints and analysis."
    parts = schema["$defs"]
    # What depends on the species, or is read from a name alone, is filled in on reading.
    required = [name for name in parts["Patient"].get("required", []) if name not in ("age", "weight")]
    parts["Patient"]["required"] = required
    if not required:
        del parts["Patient"]["required"]
    del parts["Fracture"]["properties"]["gap"]["default"]
    # The generator leaves out a title that equals the name of the record.
    for record in (schema, *parts.values()):
        for field in record.get("properties", {}).values():
            if "$ref" in field and "title" not in field:
                field["title"] = field["$ref"].rsplit("/", 1)[-1]
    visits = schema["properties"]["visits"]
    name = parts["Visits"]["properties"]["schedule"]["anyOf"][0]
    visits["anyOf"] = [{"$ref": visits.pop("$ref")}, name]
    return {"$schema": DIALECT, **schema, **described}
