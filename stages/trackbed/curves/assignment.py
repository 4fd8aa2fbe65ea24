"""What the columns of a training log hold, as a user says with --columns."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace

from trackbed.curves import columns
from trackbed.curves.columns import Column
from trackbed.pipeline.errors import UserError

Assignment = tuple[tuple[str, str], ...]
"""Pairs of a role and the name of a column, as a user gives them."""

PLAIN_ROLES = ("epoch", "step", "run", "time", "learning_rate", "ignore")
ROLES = f"{', '.join(PLAIN_ROLES)}, or a loss or score such as train_loss, val_loss, val_accuracy"


def parsed(text: str) -> Assignment:
    """The roles in `epoch=ep,val_loss="a,b"`; ignore may occur several times.

    Raises UserError for a role that is unknown or given twice, and for a column given twice.
    """
    pairs = []
    for part in re.findall(r'(?:[^,"]|"[^"]*")+', text):
        role, equals, column = (side.strip() for side in part.replace('"', "").partition("="))
        if not (role and equals and column):
            raise UserError(f"--columns {text}: expected ROLE=COLUMN[,...], got '{part}'.")
        role = "learning_rate" if role == "lr" else role
        named = columns.parsed_name(role)
        if role not in PLAIN_ROLES and not (
            named.role in ("loss", "metric") and columns.labelled(role)
        ):
            raise UserError(f"--columns {text}: unknown role '{role}'. Roles are {ROLES}.")
        pairs.append((role, column))
    for place, kind in enumerate(("role", "column")):
        given = [pair[place] for pair in pairs if place or pair[0] != "ignore"]
        if double := [one for one in given if given.count(one) > 1]:
            raise UserError(f"--columns {text}: {kind} '{double[0]}' is given twice.")
    return tuple(pairs)


def assigned(known: tuple[Column, ...], pairs: Assignment) -> tuple[Column, ...]:
    """The columns with the roles that a user gave; guesses of the same meaning become 'other'."""
    roles = {column: role for role, column in pairs}
    given = {name: _of_role(name, role) for name, role in roles.items()}
    taken = {(one.role, one.part, one.quantity) for one in given.values() if one.role != "other"}
    return tuple(
        given[column.name]
        if column.name in given
        else Column(column.name, "other", "", column.name)
        if _meaning(column) in taken
        else column
        for column in known
    )


def _meaning(column: Column) -> tuple[str, str, str]:
    if column.role in ("rate", "seconds"):
        return column.role, "", ""
    return column.role, column.part, column.quantity


def _of_role(name: str, role: str) -> Column:
    if role in PLAIN_ROLES:
        plain = {"learning_rate": "rate", "time": "seconds"}.get(role, "other")
        return Column(name, plain, "", name if plain == "other" else "")
    return replace(columns.parsed_name(role), name=name)


def with_names(pairs: Assignment, names: Sequence[str], path: str) -> Assignment:
    """With the names of columns as a log has them. Raises UserError for a column that
    it does not have."""
    exact = []
    for role, given in pairs:
        found = [name for name in names if name == given]
        found = found or [name for name in names if columns.same(name, given)]
        if not found:
            near = difflib.get_close_matches(given, names, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"It has {', '.join(names)}."
            raise UserError(f"{path}: --columns: no column '{given}'. {hint}")
        exact.append((role, found[0]))
    return tuple(exact)
