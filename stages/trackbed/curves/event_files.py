"""Read the scalars of TensorBoard: its event files and the CSV files that it exports.

https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto
https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/summary.proto
"""

import functools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from google.protobuf.message import DecodeError

from trackbed.curves import columns, log_folders, text_tables
from trackbed.curves.log_rows import Log
from trackbed.records import tfrecord

# The fields that scalars need; protobuf skips the others.
MESSAGES = {
    "Tensor": [
        ("dtype", 1, "OPTIONAL", "INT64"),
        ("tensor_content", 4, "OPTIONAL", "BYTES"),
        ("float_val", 5, "REPEATED", "FLOAT"),
        ("double_val", 6, "REPEATED", "DOUBLE"),
        ("int_val", 7, "REPEATED", "INT64"),
        ("int64_val", 10, "REPEATED", "INT64"),
    ],
    "Value": [
        ("tag", 1, "OPTIONAL", "STRING"),
        ("simple_value", 2, "OPTIONAL", "FLOAT"),
        ("image", 4, "OPTIONAL", "BYTES"),
        ("histogram", 5, "OPTIONAL", "BYTES"),
        ("audio", 6, "OPTIONAL", "BYTES"),
        ("tensor", 8, "OPTIONAL", "Tensor"),
    ],
    "Summary": [("value", 1, "REPEATED", "Value")],
    "Event": [
        ("wall_time", 1, "OPTIONAL", "DOUBLE"),
        ("step", 2, "OPTIONAL", "INT64"),
        ("summary", 5, "OPTIONAL", "Summary"),
    ],
}
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}
PATTERN = "*tfevents*"
EXPORT = {"wall time", "step", "value"}
EXPORTED = re.compile(r"run-(.*?)-tag-(.+)")


@dataclass(frozen=True)
class Scalar:
    """A value of a tag at a step; time: seconds since 1970."""

    run: str
    tag: str
    step: int
    time: float
    value: float


def is_event_file(path: Path) -> bool:
    """Whether TensorBoard would read the file, by its name."""
    return "tfevents" in path.name and path.is_file()


def paths(folder: Path) -> list[Path]:
    """The event files under a folder."""
    return sorted(path for path in folder.rglob(PATTERN) if path.is_file())


def logs(path: Path) -> list[Log]:
    """The runs in an event file, or below a folder. Raises UserError."""
    files = [path] if path.is_file() else paths(path)
    root = path.parent if path.is_file() else path
    scalars, notes = [], set()
    for file in files:
        run = file.parent.relative_to(root).as_posix()
        events, complete = _events(file)
        scalars += [one for event in events for one in _scalars(event, "" if run == "." else run)]
        if not complete:
            notes.add(f"{file.name} ends within a record (is the run still writing it?).")
    if not scalars:
        raise columns.refuse(str(path), "event files without scalars")
    return _logs(path, "TensorBoard event files", scalars, tuple(sorted(notes)))


def is_scalar_export(cells: pd.DataFrame) -> bool:
    """Whether this is what TensorBoard writes under "Download CSV"."""
    return {str(name).lower() for name in cells} == EXPORT


def logs_of_exports(path: Path, exports: dict[Path, pd.DataFrame]) -> list[Log]:
    """The runs in exported tables by file, whose names tell run and tag. Raises UserError."""
    scalars = []
    for file, cells in sorted(exports.items()):
        found = EXPORTED.fullmatch(file.stem)
        run, tag = (found[1], found[2]) if found else ("", file.stem)
        rows = cells.rename(columns=str.lower)[["wall time", "step", "value"]]
        numbers = rows.apply(text_tables.numbers_of)
        scalars += [
            Scalar("" if run == "." else run, tag, int(step), time, value)
            for time, step, value in numbers.dropna(subset=["step"]).itertuples(index=False)
        ]
    return _logs(path, "TensorBoard scalar CSV", scalars, ())


def _logs(path: Path, kind: str, scalars: list[Scalar], notes: tuple[str, ...]) -> list[Log]:
    found: dict[str, dict[str, dict[int, Scalar]]] = {}
    for one in scalars:
        run, name = _run_and_name(one.run, one.tag)
        found.setdefault(run, {}).setdefault(name, {})[one.step] = one
    result = []
    for run, tags in found.items():
        series = {
            name: pd.Series({step: one.value for step, one in values.items()}, dtype=float)
            for name, values in tags.items()
        }
        scored = any(columns.parsed_name(name).role in ("loss", "metric") for name in series)
        if not scored and len(found) > 1:
            continue
        times = {step: one.time for values in tags.values() for step, one in values.items()}
        series["timestamp"] = pd.Series(times, dtype=float)
        facts: dict[str, Any] = {"run": run} if run else {}
        result.append(log_folders.log_of_series(path, kind, series, facts, notes))
    return result


def _run_and_name(folder: str, tag: str) -> tuple[str, str]:
    """The run and the name of a tag with its part.

    Keras writes a folder for each part (`validation`), `add_scalars` of PyTorch one for each tag
    and part (`Loss_val`).
    """
    above, _, last = folder.rpartition("/")
    if last.lower() in columns.PARTS:
        labelled = columns.labelled(tag)
        return above, tag if labelled else f"{last.lower()}/{tag}"
    start, _, part = last.rpartition("_")
    if part.lower() in columns.PARTS and columns.same(start, tag):
        return above, f"{part.lower()}/{tag}"
    return folder, tag


def _events(path: Path) -> tuple[list[Any], bool]:
    """The events of a file, and whether its last record is complete."""
    data, place, found = path.read_bytes(), 0, []
    while place < len(data):
        header = data[place : place + tfrecord.HEADER_BYTES]
        length = (
            struct.unpack("<Q", header[:8])[0] if len(header) == tfrecord.HEADER_BYTES else None
        )
        end = place + tfrecord.FRAME_BYTES + length if length is not None else len(data) + 1
        if end > len(data):
            return found, False
        try:
            message = tfrecord.unframe(data[place:end])
            found.append(_messages().Event.FromString(message))
        except (ValueError, DecodeError):
            raise columns.refuse(str(path), f"damaged at byte {place}") from None
        place = end
    return found, True


def _scalars(event: Any, run: str) -> Iterator[Scalar]:
    for value in event.summary.value:
        number = _number(value)
        if number is not None:
            yield Scalar(run, value.tag, event.step, event.wall_time, number)


def _number(value: Any) -> float | None:
    """The single number of a summary, or None."""
    if not value.HasField("tensor"):
        return None if value.image or value.histogram or value.audio else value.simple_value
    tensor = value.tensor
    numbers = [*tensor.float_val, *tensor.double_val, *tensor.int_val, *tensor.int64_val]
    if tensor.tensor_content and tensor.dtype in DTYPES:
        numbers = np.frombuffer(tensor.tensor_content, DTYPES[tensor.dtype]).tolist()
    return float(numbers[0]) if len(numbers) == 1 else None


@functools.cache
def _messages() -> SimpleNamespace:
    return tfrecord.message_classes("events", MESSAGES)
