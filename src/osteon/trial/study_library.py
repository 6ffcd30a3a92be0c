"""The studies shipped with osteon."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

from osteon.errors import InputError, near_match, show
from osteon.scenario.library import Preset

_FOLDER = Path(__file__).with_name("presets")


@lru_cache(maxsize=1)
def presets() -> tuple[Preset, ...]:
    """Return the shipped studies, with their titles in English and Chinese."""
    table = tomllib.loads((_FOLDER / "index.toml").read_text(encoding="utf-8"))
    return tuple(Preset(name, row["title"], row["title_zh"]) for name, row in table.items())


def preset_text(name: str) -> str:
    """Return the YAML of a shipped study; raises `InputError` for an unknown name."""
    known = [preset.name for preset in presets()]
    if name not in known:
        hint = near_match(name, known) or 'the command "osteon presets --studies" lists them'
        message = f"{show(name)} is not one of the {len(known)} shipped studies, such as {known[0]}"
        raise InputError(message, path="preset", value=name, hint=hint)
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
