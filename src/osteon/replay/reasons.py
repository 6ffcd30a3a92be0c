"""Why a row is not simulated or not scored, in Chinese beside the English of tables and engines."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

RECALLED = "the number is recalled, not seen"
FAILED = "every draw of the model failed"
NO_ARM = "no simulated arm stands for this one"
NO_GROUP = "no group of virtual patients stands for this row"


@cache
def known() -> Mapping[str, str]:
    """Return the Chinese of every reason, by its English."""
    return tomllib.loads(Path(__file__).with_name("reasons.toml").read_text(encoding="utf-8"))


def in_chinese(reason: str) -> str:
    """Return a reason in Chinese, or as it is where nobody has translated it."""
    return known().get(reason, reason)
