"""What clock and machine say of a run, in files below logs/ that neither git nor DVC sees.

Results have the same bytes, and so the same hashes, on every machine of one kind; seconds, memory
and rates differ from run to run. The measurements of a training lie under the digest of the
results they belong to, its metrics.json: whoever has the results finds them, however many
trainings came since.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

LOGS = Path("logs")
EPOCHS = LOGS / "train_epochs.csv"  # of the training under way
TRAININGS = LOGS / "train"  # a table per finished training
EXPORTS = LOGS / "export"  # CPU times of exported formats
COLUMNS = ("epoch", "seconds", "images_per_second", "waiting_share", "cpu_share", "memory_mb")
COLUMNS += ("gpu_share", "gpu_memory_mb")
Row = dict[str, float]


def write_seconds(stage: str, seconds: float) -> None:
    """Note how long a stage took in logs/STAGE.json. What cannot be written is left out."""
    with contextlib.suppress(OSError):  # no stage fails for its clock
        LOGS.mkdir(exist_ok=True)
        (LOGS / f"{stage}.json").write_text(json.dumps({"seconds": round(seconds, 2)}) + "\n")


def stage_seconds(stages: Iterable[str]) -> dict[str, float]:
    """Seconds of these stages as last run in this workspace; one that is not known is left out."""
    known = {stage: _seconds(LOGS / f"{stage}.json") for stage in stages}
    return {stage: seconds for stage, seconds in known.items() if seconds is not None}


def add_epoch(epoch: int, row: Row) -> None:
    """Append an epoch to the table of the training under way; epoch 1 begins the table."""
    with contextlib.suppress(OSError):
        LOGS.mkdir(exist_ok=True)
        with EPOCHS.open("w" if epoch == 1 else "a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            if epoch == 1:
                writer.writeheader()
            writer.writerow({"epoch": epoch} | row)


def finish_training(summary: Path) -> None:
    """File the table of the training under way under its results. summary: its metrics.json."""
    with contextlib.suppress(OSError):
        TRAININGS.mkdir(parents=True, exist_ok=True)
        EPOCHS.replace(_place(summary.read_bytes()))


def training(summary: bytes) -> pd.DataFrame | None:
    """The measurements of a training, or None where it was measured elsewhere.

    summary: content of its metrics.json. One row per epoch (index `epoch`, from 1); of COLUMNS
    those that were measured: seconds, images_per_second and waiting_share (of the time without
    validation), and what training.resources.Resources measures.
    """
    import pandas as pd

    try:
        table = pd.read_csv(_place(summary), index_col="epoch").astype(float)
    except (OSError, ValueError):
        return None
    table = table.dropna(axis="columns", how="all")
    return table if len(table) and "seconds" in table else None


def training_seconds(summary: bytes) -> float | None:
    """Seconds of all epochs of a training; None where it was measured elsewhere."""
    try:
        with _place(summary).open(encoding="utf-8", newline="") as file:
            seconds = [float(row["seconds"]) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return round(sum(seconds), 1) if seconds else None


def collect_trainings(workspace: Path) -> None:
    """Take over what a copy of this workspace has measured."""
    with contextlib.suppress(OSError):
        for table in (workspace / TRAININGS).glob("*.csv"):
            TRAININGS.mkdir(parents=True, exist_ok=True)
            shutil.copy(table, TRAININGS)


def write_formats(summary: Path, milliseconds: dict[str, list[float]]) -> None:
    """File what the formats of an exported model take under the results they belong to.

    summary: metrics/export.json; milliseconds: of CPU time per image by format, alone and in a
    batch.
    """
    with contextlib.suppress(OSError):
        EXPORTS.mkdir(parents=True, exist_ok=True)
        rounded = {name: [round(one, 3) for one in each] for name, each in milliseconds.items()}
        _export_place(summary.read_bytes()).write_text(json.dumps(rounded) + "\n")


def formats(summary: bytes) -> dict[str, list[float]]:
    """What `write_formats` wrote for the content of a metrics/export.json; {} if elsewhere."""
    try:
        return json.loads(_export_place(summary).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def totals(table: pd.DataFrame) -> Row:
    """Of a whole training: seconds; median images_per_second; waiting_share; most memory_mb.

    table: see `training`. What was not measured is left out.
    """
    found = {"seconds": float(table["seconds"].sum())}
    if "images_per_second" in table:
        rates = table["images_per_second"]
        found["images_per_second"] = float(rates.median())
        if "waiting_share" in table:
            times = 1 / rates  # every epoch has the same number of images
            found["waiting_share"] = float((table["waiting_share"] * times).sum() / times.sum())
    if "memory_mb" in table:
        found["memory_mb"] = float(table["memory_mb"].max())
    return found


def _export_place(summary: bytes) -> Path:
    return EXPORTS / f"{hashlib.sha256(summary).hexdigest()[:16]}.json"


def _place(summary: bytes) -> Path:
    return TRAININGS / f"{hashlib.sha256(summary).hexdigest()[:16]}.csv"


def _seconds(path: Path) -> float | None:
    try:
        value = json.loads(path.read_text("utf-8"))["seconds"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, int | float) else None
