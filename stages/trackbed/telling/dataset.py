"""What the pipeline found in the source: files, rejects, and images per class, part and fold."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from trackbed import index, inputs

PARTS = ("train", "test")
LISTED_REJECTS = 20  # file names per reason


@dataclass(frozen=True)
class Reason:
    """Why files did not get in: how many, and the first names of them."""

    reason: str
    images: int
    filenames: list[str]


@dataclass(frozen=True)
class Dataset:
    """index: with the assigned part and fold. files: how many were seen, accepted, rejected and
    ignored. counts: see `counts`. fold_images: images per fold of the training part. groups: see
    joining.counts of the split.
    """

    index: pd.DataFrame
    files: dict[str, int]
    reasons: list[Reason]
    counts: pd.DataFrame
    fold_images: list[int]
    groups: dict[str, int | None]


def read(records_path: Path, counts_path: Path, folds_path: Path, groups_path: Path) -> Dataset:
    """Read the records' tables, the folds, and the counts of files and groups (JSON).

    Raises Problem.
    """
    table = index.assigned(records_path, folds_path)
    training = table[table["part"] == "train"]
    return Dataset(
        index=table,
        files=inputs.json_object(counts_path, "Run `dvc repro -f build_tfrecord`."),
        reasons=reasons(index.read_rejects(records_path), LISTED_REJECTS),
        counts=counts(table),
        fold_images=training["fold"].value_counts().sort_index().tolist(),
        groups=inputs.json_object(groups_path, "Run `dvc repro -f split`."),
    )


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Images per class (rows, in label order) and part (columns train, test, total)."""
    by_label = pd.crosstab(table["label"], table["part"]).reindex(columns=PARTS, fill_value=0)
    return by_label.assign(total=by_label.sum(axis=1)).set_axis(index.classes(table), axis=0)


def reasons(rejects: pd.DataFrame, most: int) -> list[Reason]:
    """Rejected files by reason, the most frequent first, with up to `most` names each."""
    groups = [
        Reason(reason, len(rows), rows["filename"].head(most).tolist())
        for reason, rows in rejects.groupby("reason", sort=True)
    ]
    return sorted(groups, key=lambda group: -group.images)
