"""The shards of a records folder, with count, length and digest of each, to know them again."""

import functools
import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from trackbed import inputs
from trackbed.index import SHARDS_FILE
from trackbed.outputs import write_csv
from trackbed.problems import Damaged

REMEDY = "Run `dvc repro -f build_tfrecord`."
COLUMNS = ["shard", "records", "bytes", "sha256"]
# Shards that are read at a time; more than cores, to hide the delays of remote disks.
READERS = 8


def read(folder: Path) -> pd.DataFrame:
    """The shards of a folder in their order, columns as in COLUMNS."""
    path = folder / SHARDS_FILE
    table = inputs.table(path, REMEDY, dtype={"shard": "str"}, na_filter=False)
    if list(table.columns) != COLUMNS:
        raise Damaged(f"{path}: columns are {list(table.columns)}, expected {COLUMNS}. {REMEDY}")
    return table


def write(folder: Path, table: pd.DataFrame) -> None:
    """Write shards.csv into a records folder."""
    write_csv(folder / SHARDS_FILE, table[COLUMNS])


def check(folder: Path, names: Iterable[str]) -> None:
    """Refuse these shards of a folder if they are not as they were written.

    A shard cut at the border of two records reads as a shorter one without any error.
    Raises Damaged with the name of the shard.
    """
    table, wanted = read(folder).set_index("shard"), sorted(set(names))
    if others := [name for name in wanted if name not in table.index]:
        raise Damaged(f"{folder}: the index names {others[0]}, {SHARDS_FILE} does not. {REMEDY}")
    wanted = table.loc[wanted]
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(_state, [folder / name for name in wanted.index])
        for shard, (length, digest) in zip(wanted.itertuples(), found, strict=True):
            if (length, digest) != (shard.bytes, shard.sha256):
                raise Damaged(
                    f"{folder / shard.Index}: damaged; {length} bytes, expected {shard.bytes} with "
                    f"SHA-256 {shard.sha256[:12]}…. Remove {folder} and run "
                    "`dvc repro build_tfrecord`."
                )


def _state(path: Path) -> tuple[int | str, str]:
    """Length and digest of a file."""
    if not path.is_file():
        return "no such file, 0", ""
    status = path.stat()
    return status.st_size, _digest(path.resolve(), status.st_size, status.st_mtime_ns)


@functools.cache
def _digest(path: Path, length: int, changed: int) -> str:
    """SHA-256 of a file; computed again after every change of its length or time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
