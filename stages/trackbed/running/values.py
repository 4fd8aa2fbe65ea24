"""Values of parameters as text: which are equal, and how to write them short."""

import re
from typing import Any

import yaml

from trackbed import params

NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)


def parsed(text: str) -> Any:
    """A value of the command line with every scalar as text, as params.sections gives it."""
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return text


def canonical(value: Any) -> Any:
    """Equal for values that mean the same: 1e-05 and 0.00001, True and true, ~ and null.

    A number with leading zeros stays as it is: `012` may be the name of a class.
    """
    if isinstance(value, dict):
        return {key: canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [canonical(inner) for inner in value]
    text = str(value)
    if text in params.NOTHING or text == "None":
        return ""
    if text.lower() in ("true", "false"):
        return text.lower()
    if NUMBER.fullmatch(text) and any(letter.isdigit() for letter in text):
        return f"{float(text):.12g}"
    return text


def flat(sections: dict[str, Any]) -> dict[str, Any]:
    """Canonical values by section.key, such as {'train.dropout': '0.3'}."""
    return {
        f"{section}.{key}": canonical(value)
        for section, inside in sections.items()
        if isinstance(inside, dict)
        for key, value in inside.items()
    }


def shown(value: Any) -> str:
    """A value in one line: as it stands, lists and mappings as YAML would have them."""
    if isinstance(value, dict | list):
        return yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()
    return str(value) if value != "" else "null"


def typed(text: str) -> Any:
    """A canonical value as YAML 1.2 reads it, with numbers as numbers."""
    if text == "":
        return None
    if text in ("true", "false"):
        return text == "true"
    if NUMBER.fullmatch(text) and any(letter.isdigit() for letter in text):
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    return text


def order(text: str) -> tuple[int, float, str]:
    """A key to sort values by: numbers by their value, before text."""
    value = typed(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (0, float(value), "")
    return (1, 0.0, text)
