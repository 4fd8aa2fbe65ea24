"""A grid of parameter values as the command line gives it: `-S train.dropout=0.2,0.5`."""

import argparse
import itertools
from collections.abc import Sequence

from trackbed.problems import Problem

Setting = dict[str, str]
"""Values by key, such as {"train.dropout": "0.2"}."""


def add_to(command: argparse.ArgumentParser, metavar: str, more: str = "") -> None:
    """Give a command the option -S, as often as wanted; its texts become `assignments`."""
    command.add_argument(
        "-S",
        dest="assignments",
        action="append",
        default=[],
        metavar=metavar,
        help=f"values of a parameter; several -S make a grid{more}",
    )


def settings(assignments: Sequence[str]) -> list[Setting]:
    """Every combination of the values of the assignments, the last key varying fastest.

    Raises Problem for an assignment that is not `section.key=value[,value...]` or comes twice.
    """
    parsed = [_parsed(assignment) for assignment in assignments]
    keys = [key for key, _ in parsed]
    if double := {key for key in keys if keys.count(key) > 1}:
        raise Problem(f"-S {min(double)}: given twice; put its values into one list.")
    return [
        dict(zip(keys, values, strict=True))
        for values in itertools.product(*(values for _, values in parsed))
    ]


def _parsed(assignment: str) -> tuple[str, list[str]]:
    key, equals, text = assignment.partition("=")
    values = [value.strip() for value in text.split(",")]
    if not equals or key.count(".") != 1 or not all(key.split(".")) or not all(values):
        raise Problem(
            f"-S {assignment}: must be section.key=value[,value...], such as train.dropout=0.2,0.5."
        )
    return key, values
