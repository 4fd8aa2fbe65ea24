"""Load one section of params.yaml, checked and typed, with readable errors."""

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from trackbed.pipeline.errors import UserError

PARAMS = Path("params.yaml")

# YAML's ways to write "nothing", as text.
NULLS = ("", "~", "null", "Null", "NULL")

BOOLEANS = ("true", "True", "TRUE", "false", "False", "FALSE")
INTEGER = re.compile(r"[-+]?(0b[01][01_]*|0o[0-7][0-7_]*|0x[\da-fA-F][\da-fA-F_]*|\d[\d_]*)")
FLOAT = re.compile(r"[-+]?(\d[\d_]*\.[\d_]*|\d[\d_]*(?=[eE])|\.\d[\d_]*)([eE][-+]?\d+)?")

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
    disagree on them: PyYAML takes `1e-05` for text (`dvc exp run -S` writes it that way) and a
    class called `NO` for a boolean.
    Raises UserError for an unreadable file, a missing section, every wrong key or value, and
    text that would need quotes, see `_refuse_unquoted`.
    """
    values = _parsed(path).get(section)
    if not isinstance(values, dict):
        raise UserError(f"{path}: section '{section}' is missing; it holds {_keys(model)}.")
    found = checked(section, model, values, path)
    _refuse_unquoted(values, found, f"{path}, {section}")
    return found


def checked(section: str, model: type[S], values: dict[str, Any], path: Path = PARAMS) -> S:
    """Values of a section, scalars as text, as an instance of its model. Raises UserError."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(_messages(error, section, model, path))) from None


def sections(path: Path = PARAMS) -> dict[str, Any]:
    """The whole file, every scalar as text, see `same_text`. Raises UserError if unreadable."""
    return _as_text(_parsed(path))


def parsed(content: bytes) -> dict[str, Any]:
    """Like `sections`, of the bytes of a params.yaml. Raises UserError."""
    return _as_text(_loaded(content, PARAMS))


def same_text(text: str) -> str:
    """One text for all ways to write a value that are the same to DVC, which reads YAML 1.2.

    1.10 and 1.1, 1.0 and 1, 012 and 12, 1e-3 and 0.001, True and true, ~ and null: DVC runs no
    stage because one becomes the other. (It also takes 1 for true, and 0 for false.)
    """
    if text in NULLS:
        return "null"
    if text in BOOLEANS:
        return text.lower()
    digits = text.replace("_", "")
    if INTEGER.fullmatch(text):
        return str(int(digits, 0 if re.match(r"[-+]?0[box]", digits) else 10))
    if FLOAT.fullmatch(text):
        number = float(digits)
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    return text


class _Unquoted(str):
    """The `same_text` of a scalar without quotes; written: as it stands in the file."""

    written: str


class _Loader(yaml.SafeLoader):
    """Reads every scalar as text; resolves merge keys (`<<`); refuses a key that comes twice."""

    yaml_constructors: ClassVar = {}
    yaml_implicit_resolvers: ClassVar = {"<": [("tag:yaml.org,2002:merge", re.compile("<<"))]}

    def construct_scalar(self, node: yaml.ScalarNode) -> str:
        text = super().construct_scalar(node)
        if node.style is not None:
            return text
        unquoted = _Unquoted(same_text(text))
        unquoted.written = text
        return unquoted

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        names = [key.value for key, _ in node.value]
        if double := next((name for name in names if names.count(name) > 1), None):
            problem = f"the key '{double}' comes twice"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_mapping(node, deep)


def _parsed(path: Path) -> dict[str, Any]:
    """The whole file; scalars are text, those without quotes `_Unquoted`. Raises UserError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file. Run from the root of the repository.") from None
    return _loaded(content, path)


def _loaded(content: bytes, path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.load(content.decode("utf-8"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error}).") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML. {error}") from None
    if not isinstance(loaded, dict):
        raise UserError(f"{path}: must hold sections such as `data:` and `train:`.")
    return loaded


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _as_text(inner) for key, inner in value.items()}
    return [_as_text(inner) for inner in value] if isinstance(value, list) else str(value)


def _refuse_unquoted(values: Any, found: Any, place: str) -> None:
    """Raise UserError for text without quotes that DVC takes for a number, a boolean or nothing.

    DVC would not see that a title changes from 1.10 to 1.1 or a class from 012 to 12. Whole
    numbers in their usual form are text as well: there is one way to write each.
    """
    if problems := list(_unquoted(values, found, place)):
        raise UserError("\n".join(problems))


def _unquoted(values: Any, found: Any, place: str) -> Iterator[str]:
    if isinstance(values, dict):
        for key, value in values.items():
            if isinstance(found, dict):
                yield from _unquoted(key, str(key), place)
            inner = found.get(key) if isinstance(found, dict) else getattr(found, key, None)
            yield from _unquoted(value, inner, f"{place}.{key}")
    elif isinstance(values, list) and isinstance(found, list | tuple):
        for number, (value, inner) in enumerate(zip(values, found, strict=False)):
            yield from _unquoted(value, inner, f"{place}.{number}")
    elif isinstance(values, _Unquoted) and isinstance(found, str) and _is_ambiguous(values.written):
        yield (
            f"{place}: must be text, but DVC reads {values.written or 'nothing'} without quotes as "
            f"{values} and would not see a change to another way of writing that. Write "
            f"'{values.written}', with quotes."
        )


def _is_ambiguous(text: str) -> bool:
    if INTEGER.fullmatch(text):
        return text != same_text(text)
    return text in (*NULLS, *BOOLEANS) or FLOAT.fullmatch(text) is not None


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
            got = "nothing" if item["input"] == "" else item["input"]
            yield f"{path}, {place}: {_rule(item)}, got {got}."


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
