"""Values of parameters as text: comparison, notation, order."""

import contextlib
import re
from typing import Any

NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)


def canonical(value: Any) -> Any:
    """Equal for values that mean the same: 1e-05 and 0.00001, True and true, ~ and null.

    A number with leading zeros stays as it is: `012` may be the name of a class.
    """
    if isinstance(value, dict):
        return {key: canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [canonical(inner) for inner in value]
    from trackbed.pipeline import params  # imports pydantic, which would slow down help

    text = str(value)
    if text in params.NULLS or text == "None":
        return ""
    if text.lower() in ("true", "false"):
        return text.lower()
    if NUMBER.fullmatch(text) and any(letter.isdigit() for letter in text):
        return f"{float(text):.12g}"
    return text


def as_text(value: Any) -> Any:
    """A value with every scalar as text, as params.sections reads it from the file DVC writes."""
    if isinstance(value, dict):
        return {as_text(key): as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_text(inner) for inner in value]
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def flattened(sections: dict[str, Any]) -> dict[str, Any]:
    """Canonical values of all sections by section.key, such as {'train.dropout': '0.3'}."""
    return {
        f"{section}.{key}": canonical(value)
        for section, inside in sections.items()
        if isinstance(inside, dict)
        for key, value in inside.items()
    }


def short_text(value: Any) -> str:
    """A value in one line; lists and mappings as YAML, see `parsed_text`."""
    if isinstance(value, dict | list):
        import yaml  # not there where predicting alone is installed

        options = {"default_flow_style": True, "width": 10**6, "allow_unicode": True}
        return yaml.safe_dump(typed(value), **options).strip()
    return str(value) if value != "" else "null"


def parsed_text(text: str) -> Any:
    """The value of a text from `short_text`, with types: a list, a mapping, a number, ..."""
    value: Any = text
    if text[:1] in ("[", "{"):
        import yaml

        with contextlib.suppress(yaml.YAMLError):  # text such as '[a-z]+'
            value = yaml.load(text, Loader=yaml.BaseLoader)
    return typed(canonical(value))


def typed(value: Any) -> Any:
    """A canonical value with the types of YAML 1.2: None, booleans, numbers, text, inside too."""
    if isinstance(value, dict):
        return {key: typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [typed(inner) for inner in value]
    return _typed_scalar(value)


def _typed_scalar(text: str) -> Any:
    if text == "":
        return None
    if text in ("true", "false"):
        return text == "true"
    if NUMBER.fullmatch(text) and any(letter.isdigit() for letter in text):
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    return text


def sort_key(text: str) -> tuple[int, float, str]:
    """The sort key of a canonical value: numbers by size, before text."""
    value = typed(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (0, float(value), "")
    return (1, 0.0, text)
