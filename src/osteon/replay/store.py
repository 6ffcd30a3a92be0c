"""Outcomes kept by content: a study is run again only where something its numbers hang on has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon.replay.outcome import Outcome

if TYPE_CHECKING:
    from osteon.evidence.studies import Study
    from osteon.replay.engines import Effort

#: Folders of osteon whose text and data decide what a study gives; study files, in YAML, count one by one.
_CODE = (
    *("model", "parameters", "engine", "endpoints", "population", "ensemble", "evidence", "calibrate", "replay"),
    *("scenario", "uncertainty"),
)
_SUFFIXES = (".py", ".toml", ".csv", ".nc", ".json")


def key_of(study: Study, effort: Effort) -> str:
    """Return a hash of a study's file, of the code, parameters and posteriors of osteon, and of the effort."""
    plain = json.dumps(study.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{model_hash()} {effort.quick} {plain}".encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def model_hash() -> str:
    """Return a hash of everything but the study files that a result hangs on."""
    from importlib.metadata import version

    import osteon

    root = Path(osteon.__file__).parent
    digest = hashlib.sha256(" ".join(version(name) for name in ("numpy", "scipy", "numba")).encode())
    for folder in _CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in _SUFFIXES:
                digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def folder() -> Path:
    """Return the folder of kept outcomes, beside the kernels."""
    from osteon.engine.cache import folder as kernels

    return kernels() / "replay"


def kept(key: str) -> list[Outcome] | None:
    """Return the outcomes under a hash; None where there are none, or the file is damaged."""
    try:
        told: Any = json.loads((folder() / f"{key}.json").read_text(encoding="utf-8"))
        return [Outcome.from_dict(one) for one in told["outcomes"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(key: str, outcomes: Sequence[Outcome]) -> None:
    """Keep outcomes; a folder that cannot be written is done without."""
    from osteon.ensemble.store import write_json

    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        write_json(folder() / f"{key}.json", {"outcomes": [one.to_dict() for one in outcomes]}, indent=None)
