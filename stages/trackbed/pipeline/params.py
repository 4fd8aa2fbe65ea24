"""Load one section of params.yaml, checked and typed, with readable errors."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from trackbed.pipeline.errors import UserError

PARAMS = Path("params.yaml")

# YAML's ways to write "nothing", as text.
NULLS = ("", "~", "null", "Null", "NULL")

T = TypeVar("T")
Maybe = Annotated[T | None, BeforeValidator(lambda value: None if value in NULLS else value)]
"""A value that may be left empty (`null`) in params.yaml."""


class Section(BaseModel):
    """A section of params.yaml: unknown keys are refused, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


S = TypeVar("S", bound=Section)


def load(section: str, model: type[S], path: Path = PARAMS) -> S:
    """The section of the file as an instance of its model.

    Scalars are read as text and converted by the model's types alone, because YAML readers
    disagree on them: PyYAML takes `1e-05` for text (`dvc exp run -S` writes it that way), a
    class called `NO` for a boolean and `012` for ten.
    Raises UserError for an unreadable file, a missing section and every wrong key or value.
    """
    values = sections(path).get(section)
    if not isinstance(values, dict):
        raise UserError(f"{path}: section '{section}' is missing; it holds {_keys(model)}.")
    return checked(section, model, values, path)


def checked(section: str, model: type[S], values: dict[str, Any], path: Path = PARAMS) -> S:
    """Values of a section, scalars as text, as an instance of its model. Raises UserError."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(_messages(error, section, model, path))) from None


def sections(path: Path = PARAMS) -> dict[str, Any]:
    """The whole file, every scalar as text. Raises UserError for an unreadable file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. Run from the root of the repository.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error}).") from None
    try:
        loaded = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML. {error}") from None
    if not isinstance(loaded, dict):
        raise UserError(f"{path}: must hold sections such as `data:` and `train:`.")
    return loaded


def _keys(model: type[BaseModel]) -> str:
    return ", ".join(model.model_fields)


def _messages(
    error: ValidationError, section: str, model: type[BaseModel], path: Path
) -> Iterable[str]:
    for item in error.errors():
        *parents, key = _place(item) or [section]
        if item["type"] == "extra_forbidden":
            inside = ".".join([section, *parents])
            known = list(model.model_fields) if not parents else []
            yield f"{path}, {inside}: unknown key '{key}'.{_hint(key, known)}"
        elif item["type"] == "union_tag_invalid":
            place, context = ".".join([section, *parents, key]), item["ctx"]
            yield (
                f"{path}, {place}: {context['discriminator']} must be one of "
                f"{context['expected_tags']}, got '{context['tag']}'."
            )
        elif item["type"] == "missing":
            yield f"{path}, {'.'.join([section, *parents])}: key '{key}' is missing."
        else:
            place = ".".join([section, *parents, key])
            yield f"{path}, {place}: {_rule(item)}, got {item['input']}."


def _place(item: Any) -> list[str]:
    """Where the error is, without the tag of a union's member that pydantic puts into a list."""
    place = item["loc"]
    tags = {
        number
        for number, part in enumerate(place[:-1])
        if number and isinstance(place[number - 1], int) and isinstance(part, str)
    }
    return [str(part) for number, part in enumerate(place) if number not in tags]


def _hint(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    if close:
        return f" Did you mean '{close[0]}'?"
    return f" Known keys: {', '.join(known)}." if known else ""


def _rule(item: Any) -> str:
    context = item.get("ctx", {})
    rules = {
        "greater_than": "must be above {gt:g}",
        "greater_than_equal": "must be at least {ge:g}",
        "less_than": "must be below {lt:g}",
        "less_than_equal": "must be at most {le:g}",
        "int_parsing": "must be a whole number",
        "float_parsing": "must be a number",
        "bool_parsing": "must be true or false",
        "finite_number": "must be a finite number",
        "literal_error": "must be one of {expected}",
        "list_type": "must be a list",
        "dict_type": "must be a mapping such as {{seg_train: train}}",
        "int_type": "must be a whole number",
        "float_type": "must be a number",
        "bool_type": "must be true or false",
        "string_type": "must be a single value",
        "model_type": "must be a mapping such as {{name: flip, mode: horizontal}}",
        "model_attributes_type": "must be a mapping such as {{name: flip, mode: horizontal}}",
    }
    if item["type"] in rules:
        return rules[item["type"]].format(**context)
    return item["msg"].removeprefix("Value error, ").rstrip(".")
