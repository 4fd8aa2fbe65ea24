"""Read logs in JSON, as Keras, pandas, Hugging Face, W&B and Detectron2 write them."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.curves import columns, log_folders
from trackbed.curves.log_rows import Log


def log(path: Path, text: str) -> Log:
    """The log in the text of a file. Raises UserError for what has no row or list of values."""
    try:
        values: Any = json.loads(text)
    except ValueError as error:
        values = _python(text)
        if values is None:
            return _json_lines(path, text, error)
    if isinstance(values, list):
        return Log(str(path), "JSON records", _records(path, values))
    facts = log_folders.planned({k: v for k, v in values.items() if k != "history"})
    kind, cells, notes = _table_of(path, values)
    return Log(str(path), kind, cells, facts, notes)


def _python(text: str) -> Any:
    """What `str(history.history)` wrote, or None."""
    try:
        values = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return values if isinstance(values, dict | list) else None


def _json_lines(path: Path, text: str, error: ValueError) -> Log:
    """An object in each line; the last may be under way."""
    lines, records, notes = [one for one in text.splitlines() if one.strip()], [], ()
    for place, line in enumerate(lines):
        try:
            records.append(json.loads(line))
        except ValueError:
            if not records or place + 1 < len(lines):
                raise columns.refuse(str(path), f"not valid JSON: {error}") from None
            notes = ("The last line is not complete: left out.",)
    return Log(str(path), "JSON lines", _records(path, records), {}, notes)


def _records(path: Path, values: list[Any]) -> pd.DataFrame:
    """Cells from objects, a row each; keys of objects in them are joined with `/`."""
    if not values or not all(isinstance(value, dict) for value in values):
        raise columns.refuse(str(path), "must hold an object of lists, or a list of objects")
    # Hugging Face ends with the means over the whole run.
    rows = [value for value in values if "train_runtime" not in value] or values
    cells = [{name: _cell(one) for name, one in _leaves(row)} for row in rows]
    return pd.DataFrame(cells).fillna("")


def _leaves(row: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}/")
        else:
            yield f"{above}{key}", value


def _cell(value: Any) -> str:
    if isinstance(value, float) and value != value:
        return "nan"
    return "" if value is None else str(value)


def _table_of(path: Path, values: dict[str, Any]) -> tuple[str, pd.DataFrame, tuple[str, ...]]:
    """The format, the cells and notes of an object in one of the shapes of Keras or pandas."""
    if isinstance(values.get("log_history"), list):
        return "Hugging Face trainer state", _records(path, values["log_history"]), ()
    if {"columns", "data"} <= values.keys():
        table = pd.DataFrame(values["data"], columns=values["columns"]).astype(object)
        return "pandas JSON", table.map(_cell), ()
    if "schema" in values and isinstance(values.get("data"), list):
        return "pandas JSON", _records(path, values["data"]), ()
    if isinstance(values.get("history"), dict):
        epochs = {"epoch": values["epoch"]} if isinstance(values.get("epoch"), list) else {}
        values = epochs | values["history"]
    leaves = {name: one for name, one in values.items() if isinstance(one, list)}
    records = [one for one in leaves.values() if one and all(isinstance(row, dict) for row in one)]
    if len(records) == 1:
        return "JSON records", _records(path, records[0]), ()
    if _by_number(values):
        rows = [values[key] for key in sorted(values, key=float)]
        return "pandas JSON", _records(path, rows), ()
    if runs := _runs(values):
        tables = {name: _lists(path, _flat(one))[1] for name, one in runs.items()}
        for name, table in tables.items():
            table["run"] = name
            if "epoch" not in table:
                table["epoch"] = [str(row + 1) for row in range(len(table))]
        return "JSON lists", pd.concat(tables, ignore_index=True).fillna(""), ()
    return _lists(path, _flat(values))


def _runs(values: dict[str, Any]) -> dict[str, Any]:
    """Objects with the same lists under names that tell no part of the data: a run each."""
    found = {name: one for name, one in values.items() if isinstance(one, dict) and _flat(one)}
    keys = {tuple(sorted(one)) for one in found.values()}
    labelled = any(columns.labelled(name) or columns.PARTS.get(name.lower()) for name in found)
    named = any(columns.parsed_name(name).role != "other" for name in found)
    return found if len(found) > 1 and len(keys) == 1 and not (labelled or named) else {}


def _by_number(values: dict[str, Any]) -> bool:
    """Whether the keys are numbers of rows."""
    return bool(values) and all(re.fullmatch(r"\d+(\.0)?", str(key)) for key in values)


def _flat(values: dict[str, Any], above: str = "") -> dict[str, list[Any]]:
    """Lists by key; keys of objects in objects are joined with `/`, rows by number are lists."""
    found: dict[str, list[Any]] = {}
    for key, value in values.items():
        if isinstance(value, dict) and _by_number(value):
            value = [value[number] for number in sorted(value, key=float)]
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            names = dict.fromkeys(name for row in value for name in row)
            value = {name: [row.get(name) for row in value] for name in names}
        if isinstance(value, dict):
            found |= _flat(value, f"{above}{key}/")
        elif isinstance(value, list):
            found[f"{above}{key}"] = value
    return found


def _alternatives(possible: list[int], taken: int) -> str:
    others = [str(every) for every in possible if every != taken]
    return f"; {', '.join(others)} would fit as well" if others else ""


def _lists(path: Path, lists: dict[str, list[Any]]) -> tuple[str, pd.DataFrame, tuple[str, ...]]:
    """Lists as long as one another; those of validation may have every nth epoch alone."""
    lengths = {name: len(cells) for name, cells in lists.items() if cells}
    rows = max(lengths.values(), default=0)
    short = {name: count for name, count in lengths.items() if count < rows}
    held = all(columns.parsed_name(name).part in ("validation", "test") for name in short)
    if not rows or not held or len(set(short.values())) > 1:
        why = f"must hold lists as long as one another, holds {lengths}"
        if not lengths:
            why = "no lists, but single values: a file of parameters or scores"
        raise columns.refuse(str(path), why)
    notes: tuple[str, ...] = ()
    places = range(rows)
    if short:
        count = next(iter(short.values()))
        possible = [every for every in range(1, rows + 1) if rows // every == count]
        fitting = [every for every in possible if rows % every == 0] or possible
        if not fitting:
            raise columns.refuse(str(path), f"{count} values of validation for {rows} epochs")
        places = range(fitting[0] - 1, rows, fitting[0])
        notes = (
            f"{count} values of validation for {rows} epochs: taken for those of every "
            f"{fitting[0]} epochs (validation_freq{_alternatives(possible, fitting[0])}).",
        )
    series = {
        name: pd.Series(
            [_cell(one) for one in cells], index=places if name in short else range(rows)
        )
        for name, cells in lists.items()
        if cells
    }
    return "JSON lists", pd.DataFrame(series, index=range(rows)).fillna(""), notes
