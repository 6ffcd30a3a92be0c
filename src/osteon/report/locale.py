"""Interface words in each language, kept in ``locales/*.toml`` and looked up by dotted key."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from osteon.errors import InputError, show

LANGUAGES = ("en", "zh")


class Words:
    """The words of one language.

    Calling it with a dotted key gives the text, with ``{name}`` places filled from the keyword arguments:
    ``words("endpoint.CTX_nadir")``, ``words("stage.soft_callus")``, ``words("value.day", day=21)``.

    Parameters
    ----------
    language : str
        ``"en"`` or ``"zh"``.
    texts : dict[str, str]
        Text by dotted key.
    """

    def __init__(self, language: str, texts: dict[str, str]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **fields: object) -> str:
        """Text of ``key`` with its places filled; raises ``KeyError`` when there is no such key."""
        text = self._texts[key]
        for name, value in fields.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def get(self, key: str, default: str) -> str:
        """Text of ``key``, or ``default`` where this language has none."""
        return self._texts.get(key, default)

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def keys(self) -> set[str]:
        """Every dotted key."""
        return set(self._texts)

    def below(self, prefix: str) -> dict[str, str]:
        """Texts under ``prefix``, keyed by the rest of their key."""
        start = prefix + "."
        return {key.removeprefix(start): text for key, text in self._texts.items() if key.startswith(start)}


def _flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


@cache
def load(lang: str = "en") -> Words:
    """Words of a language.

    Parameters
    ----------
    lang : str
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Words

    Raises
    ------
    InputError
        If there is no such language.
    """
    if lang not in LANGUAGES:
        message = f"there is no language {show(lang)}"
        raise InputError(message, path="lang", value=lang, hint=f"choose one of {', '.join(LANGUAGES)}")
    text = files("osteon.report").joinpath("locales", f"{lang}.toml").read_text(encoding="utf-8")
    return Words(lang, _flatten(tomllib.loads(text)))
