"""Values of parameters as text: parsing, comparison, and grids."""

import argparse
import itertools
import re
from collections.abc import Sequence
from typing import Any

import yaml

from trackbed.pipeline.errors import UserError

Setting = dict[str, str]
"""Values by key, such as {"train.dropout": "0.2"}."""


def add_grid_option(command: argparse.ArgumentParser, metavar: str, more: str = "") -> None:
    """Add the repeatable option -S to a command; its texts become `assignments`."""
    command.add_argument(
        "-S",
        dest="assignments",
        action="append",
        default=[],
        metavar=metavar,
        help=f"values of a parameter; several -S make a grid{more}",
    )


def grid(assignments: Sequence[str]) -> list[Setting]:
    """Every combination of the values of the assignments, the last key varying fastest.

    Raises UserError for an assignment that is not `section.key=value[,value...]` or comes twice.
    """
    assigned = [_parse_assignment(assignment) for assignment in assignments]
    keys = [key for key, _ in assigned]
    if double := {key for key in keys if keys.count(key) > 1}:
        raise UserError(f"-S {min(double)}: given twice; put its values into one list.")
    return [
        dict(zip(keys, values, strict=True))
        for values in itertools.product(*(values for _, values in assigned))
    ]


def _parse_assignment(assignment: str) -> tuple[str, list[str]]:
    key, equals, text = assignment.partition("=")
    values = [value.strip() for value in text.split(",")]
    if not equals or key.count(".") != 1 or not all(key.split(".")) or not all(values):
        raise UserError(
            f"-S {assignment}: must be section.key=value[,value...], such as train.dropout=0.2,0.5."
        )
    return key, values


NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)


def parse_value(text: str) -> Any:
    """A value from the command line with every scalar as text, as in params.sections."""
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
    from trackbed.pipeline import params  # imports pydantic, which would slow down help

    text = str(value)
    if text in params.NULLS or text == "None":
        return ""
    if text.lower() in ("true", "false"):
        return text.lower()
    if NUMBER.fullmatch(text) and any(letter.isdigit() for letter in text):
        return f"{float(text):.12g}"
    return text


def flattened(sections: dict[str, Any]) -> dict[str, Any]:
    """Canonical values of all sections by section.key, such as {'train.dropout': '0.3'}."""
    return {
        f"{section}.{key}": canonical(value)
        for section, inside in sections.items()
        if isinstance(inside, dict)
        for key, value in inside.items()
    }


def short_text(value: Any) -> str:
    """A value in one line; lists and mappings as YAML."""
    if isinstance(value, dict | list):
        return yaml.safe_dump(value, default_flow_style=True, width=10**6).strip()
    return str(value) if value != "" else "null"


def typed(text: str) -> Any:
    """A canonical value as YAML 1.2 reads it: None, a boolean, a number or text."""
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
