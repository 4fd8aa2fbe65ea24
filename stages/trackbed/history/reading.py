"""Read a history of any usual kind; its content tells the kind."""

from pathlib import Path

import pandas as pd

from trackbed import inputs
from trackbed.history import keras_log, lightning, live_folder, tables, ultralytics
from trackbed.history.history import History
from trackbed.problems import Problem

IN_FOLDERS = ("results.csv", "metrics.csv", "history.json", "history.csv", "training.csv")


def read(path: Path) -> History:
    """The history in a file or folder. Raises Problem for what is missing, broken or none.

    A folder is one of DVCLive, or holds one of the files IN_FOLDERS.
    """
    if path.is_dir():
        return _folder(path)
    try:
        with path.open(encoding="utf-8") as file:
            head = file.readline()
    except FileNotFoundError:
        raise Problem(f"{path}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise tables.refuse(str(path), f"not readable as text: {error}") from None
    if head.lstrip("\ufeff").lstrip().startswith(("{", "[")):
        return keras_log.from_json(path)
    return _table(path, head)


def _folder(path: Path) -> History:
    if live_folder.found(path):
        return live_folder.read(path)
    files = [path / name for name in IN_FOLDERS if (path / name).is_file()]
    if len(files) == 1:
        return read(files[0])
    there = ", ".join(file.name for file in files) or f"none of {', '.join(IN_FOLDERS)}"
    raise tables.refuse(str(path), f"a folder without plots/metrics/**/*.tsv and with {there}")


def _table(path: Path, head: str) -> History:
    separator = max(",;\t", key=head.count)
    raw = inputs.table(path, tables.EXPECTED, sep=separator, skipinitialspace=True)
    table = tables.cleaned(raw)
    if table.empty:
        raise tables.refuse(str(path), "no row of values")
    names: list[str] = list(table.columns)
    if len(set(names)) < len(names):
        raise tables.refuse(str(path), "two columns of one name")
    if ultralytics.fits(names):
        return ultralytics.read(path, table)
    if lightning.fits(names):
        return lightning.read(path, table)
    return keras_log.from_table(path, pd.DataFrame(table))
