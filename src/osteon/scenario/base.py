"""The base of everything a person writes: frozen, no unknown keys, and one clear sentence when it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from osteon.errors import InputError, UnitError, near_match, show

T = TypeVar("T")


class Model(BaseModel):
    """A frozen record; keys it does not know, and keys it misses, are named in the error.

    Raises
    ------
    InputError
        On construction, if a value is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise to_input_error(error) from None

    # Without this mark pydantic would call __init__ for nested records too, and the path of a fault would be lost.
    __init__.__pydantic_base_init__ = True  # pyright: ignore[reportFunctionMemberAccess]

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            known = ", ".join(list(cls.model_fields)[:4])
            raise refuse(f"{show(data)} is not a mapping", data, hint=f"write keys and values such as {known}")
        for key in data:
            if key not in cls.model_fields:
                allowed = ", ".join(cls.model_fields)
                guess = near_match(key, cls.model_fields)
                raise refuse(f"is not a known key (allowed: {allowed})", data[key], hint=guess, path=str(key)[:60])
        data = cls._prepare(dict(data), info)
        for name, field in cls.model_fields.items():
            if field.is_required() and name not in data:
                example = field.examples[0] if field.examples else ""
                written = show(example).strip('"') if not isinstance(example, list | dict) else ""
                raise refuse("is missing", hint=f'write for example "{name}: {written}"' if written else "", path=name)
        return data

    @classmethod
    def _prepare(cls, data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Fill in what depends on other keys, once the keys are known to be right."""
        return data


def described(title: str, title_zh: str, description: str, *, default: Any = ..., **schema: Any) -> Any:
    """Return a pydantic field with its titles in both languages; further keywords go into the JSON schema."""
    examples = schema.pop("examples", None)
    extra = {"x-title-zh": title_zh, **schema}
    return Field(default, title=title, description=description, examples=examples, json_schema_extra=extra)


def refuse(message: str, value: Any = None, *, hint: str = "", path: str = "") -> PydanticCustomError:
    """Return the error a validator raises; `path` is relative to the record being validated."""
    context = {"message": message, "value": value, "hint": hint, "path": path, "unit": False}
    return PydanticCustomError("osteon", "{message}", context)


def guarded(function: Callable[[Any], T]) -> Callable[[Any], T]:
    """Let a function that raises `InputError` serve as a pydantic validator, which adds the path."""

    def validate(value: Any) -> T:
        try:
            return function(value)
        except InputError as error:
            raise from_input_error(error) from None

    return validate


def from_input_error(error: InputError, path: str = "") -> PydanticCustomError:
    """Return an `InputError` in the form a pydantic validator raises."""
    context = {"message": error.message, "value": error.value, "hint": error.hint, "path": path or error.path}
    return PydanticCustomError("osteon", "{message}", {**context, "unit": isinstance(error, UnitError)})


def to_input_error(error: ValidationError, prefix: str = "") -> InputError:
    """Return the first fault as one sentence; a wrong format version goes first, since it explains the others."""
    faults = error.errors(include_url=False)
    fault = next((item for item in faults if item["loc"] == ("osteon",)), faults[0])
    context = fault.get("ctx", {})
    path = join_path(prefix, *fault["loc"], context.get("path", ""))
    others = len(faults) - 1
    if fault["type"] != "osteon":
        return InputError(fault["msg"].rstrip("."), path=path, value=fault["input"], others=others)
    kind = UnitError if context["unit"] else InputError
    return kind(context["message"], path=path, value=context["value"], hint=context["hint"], others=others)


def join_path(*parts: str | int) -> str:
    """Return ``arms[0].doses[1].amount`` from its parts; empty parts are skipped."""
    path = ""
    for part in parts:
        if part == "":
            continue
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path and not part.startswith("[") else part
    return path
