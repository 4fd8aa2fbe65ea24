"""The tables that describe the records: index, rejects and folds, read and written here alone."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from trackbed.pipeline.errors import Damaged, UserError
from trackbed.pipeline.tables import TableFile

# Folders in the data folder.
RECORDS = "records"
FOLDS = "folds"
GROUPS = "groups"  # how they were joined, and how evenly they were assigned

# In the metrics folder.
COUNTS_FILE = "data.json"  # of files, records and findings
COUNTS_COLUMNS = ("accepted", "rejected")  # that DVC shows
GROUPS_FILE = "split.json"  # of groups

REMEDY = "Run `dvc repro`."
INDEX_COLUMNS = {
    "record": "int64",  # position in the index, 0 .. records - 1
    "filename": "str",  # relative to the source, with forward slashes
    "label": "int64",  # 0 .. classes - 1
    "class_name": "str",
    "part": "str",  # 'train', 'validation' or 'test' where the source says so, else ''
    "group": "str",  # as the source, or data.group, names it; alone: the file name
    "shard": "str",  # TFRecord file in the same folder
    "offset": "int64",  # first byte of the TFRecord in its shard
    "length": "int64",  # bytes of the TFRecord, framing included
    "image_offset": "int64",  # first byte of image_raw in the shard
    "image_length": "int64",
    "encoding": "str",  # of image_raw: 'jpeg', 'png', or 'raw' (uint8, height x width x 3)
    "format": "str",  # of the source image, by content: 'JPEG', 'PNG', 'PPM', ...
    "height": "int64",  # pixels, as decoded
    "width": "int64",
    "sha256": "str",  # of the source image's bytes
    "perceptual_hash": "str",  # 64-bit difference hash, 16 hexadecimal digits
    "pixel_hash": "str",  # 128-bit BLAKE2b of width, height and RGB pixels, 32 digits
    "thumbnail": "str",  # 12 x 12 grey values, stretched to 0..255, in base64
    "brightness": "float64",  # mean of the grey values, 0..255
    "contrast": "float64",  # their standard deviation
    "sharpness": "float64",  # variance of their Laplacian
}
INDEX_TABLE = TableFile("index.csv", INDEX_COLUMNS, REMEDY)
REJECTS_TABLE = TableFile(
    "rejects.csv", {"filename": "str", "reason": "str", "detail": "str"}, REMEDY
)
# Some of the records that were rejected for having the pixels of another.
REJECTED_TABLE = TableFile("rejected.csv", INDEX_COLUMNS, REMEDY)
SHARD_COLUMNS = {"shard": "str", "records": "int64", "bytes": "int64", "sha256": "str"}
SHARDS_TABLE = TableFile("shards.csv", SHARD_COLUMNS, "Run `dvc repro -f build_tfrecord`.")
FINDINGS_COLUMNS = {
    "record": "int64",
    "filename": "str",  # '' of the whole set, as class and part
    "class_name": "str",
    "part": "str",  # as in the index
    "finding": "str",  # one of FINDING_TYPES
    "detail": "str",  # the numbers
    "other": "str",  # the file that it is the same as, or near; else ''
    "other_record": "int64",  # and its record, or NO_RECORD
}
NO_RECORD = -1
# What can be wrong or unusual with a record that got in, or with all of them.
CONTRADICTION: Final = "also in another class"  # pixel by pixel, as in rejects.csv
IN_TEST: Final = "also in the test part"
NEAR_CONTRADICTION: Final = "near one in another class"
NEAR_TEST: Final = "near one in the test part"
DUPLICATE: Final = "duplicate"
NEAR: Final = "near-duplicate"
BLACK: Final = "black"
WHITE: Final = "white"
LOW_INFORMATION: Final = "low information"
BLURRED: Final = "blurred"
UNUSUAL_BRIGHTNESS: Final = "unusual brightness"
UNUSUAL_SHAPE: Final = "unusual shape"
UNUSUAL_SIZE: Final = "unusual size"
SCALED_BOX: Final = "scaled box"  # it counted in a picture of another size
SEVERAL_PAGES: Final = "several pages"  # of which only the first is used
# Of the whole set, with NO_RECORD.
WHITE_LEVEL: Final = "value of white"  # 16-bit files use fewer bits, or more than white_level
BOX_SCALE: Final = "scale of boxes"  # they count in pictures of another size, or seem to
DARK_SET: Final = "dark set"
BRIGHT_SET: Final = "bright set"
PALE_SET: Final = "set of low contrast"
SOFT_SET: Final = "soft set"

# In the order in which they are listed: what spoils a score first.
EXACT_FINDINGS = (CONTRADICTION, IN_TEST, DUPLICATE)
NEAR_FINDINGS = (NEAR_CONTRADICTION, NEAR_TEST, NEAR)
SET_FINDINGS = (WHITE_LEVEL, BOX_SCALE, DARK_SET, BRIGHT_SET, PALE_SET, SOFT_SET)
FINDING_TYPES = (
    *SET_FINDINGS,
    *(CONTRADICTION, NEAR_CONTRADICTION, IN_TEST, NEAR_TEST, DUPLICATE, NEAR),
    *(BLACK, WHITE, LOW_INFORMATION, BLURRED),
    *(UNUSUAL_BRIGHTNESS, UNUSUAL_SHAPE, UNUSUAL_SIZE),
    *(SCALED_BOX, SEVERAL_PAGES),
)
FINDINGS_TABLE = TableFile("findings.csv", FINDINGS_COLUMNS, REMEDY)
FOLDS_COLUMNS = {
    "record": "int64",
    "filename": "str",
    "part": "str",  # 'train' or 'test'
    "fold": "int64",  # 0 .. folds - 1 for part train, -1 for part test
    "group": "str",  # images of one group never stand on both sides of a split
}
TEST_FOLD = -1
FOLDS_TABLE = TableFile("folds.csv", FOLDS_COLUMNS, REMEDY)

JOINS_COLUMNS = {
    "group": "str",  # the joined group
    "filename": "str",
    "named_group": "str",  # its group before, as in the index
    "other": "str",  # the file that it was joined with
    "other_named_group": "str",
    "reason": "str",  # same pixels, near-duplicate, or neighbour in name order
    "bits": "int64",  # of 64, in which their hashes differ
    "correlation": "float64",  # of their thumbnails, shifted and scaled a little
}
JOINS_TABLE = TableFile("joins.csv", JOINS_COLUMNS, REMEDY)
LARGE_GROUPS_COLUMNS = {
    "class_name": "str",
    "group": "str",
    "images": "int64",  # of the class in the group
    "of": "int64",  # images of the class
    "named_groups": "int64",  # that were joined in the group
}
LARGE_GROUPS_TABLE = TableFile("large_groups.csv", LARGE_GROUPS_COLUMNS, REMEDY)
SHARES_COLUMNS = {
    "side": "str",  # 'fold 0', 'fold 1', ..., or 'test'
    "class_name": "str",  # '' for all classes together
    "images": "int64",
    "of": "int64",  # images of the class in all folds, or in all folds and the test part
    "even": "float64",  # images that an even share would have
    "missed": "bool",  # whether it is off by more than groups of the usual size explain
}
SHARES_TABLE = TableFile("shares.csv", SHARES_COLUMNS, REMEDY)


def read(records_path: Path) -> pd.DataFrame:
    """The index of a records folder, one row per record, columns as in INDEX_TABLE.

    Raises Damaged for labels that do not count the classes.
    """
    table = INDEX_TABLE.read(records_path)
    _refuse_wrong_labels(records_path / INDEX_TABLE.name, table)
    return table


def _refuse_wrong_labels(path: Path, table: pd.DataFrame) -> None:
    """Refuse labels that do not count the classes, and a class with two of them."""
    pairs = table[["label", "class_name"]].drop_duplicates()
    last = pairs["class_name"].nunique() - 1
    twice = pairs["class_name"].duplicated() | pairs["label"].duplicated()
    wrong = twice | ~pairs["label"].between(0, last)
    if wrong.any():
        row = table.loc[wrong.idxmax()]
        raise Damaged(
            f"{path}: record {row['record']} ({row['filename']}) has label {row['label']} and "
            f"class {row['class_name']!r}; labels are 0 to {last}, one of each class. "
            "Run `dvc repro -f build_tfrecord`."
        )


def read_rejected(records_path: Path) -> pd.DataFrame:
    """Some records that were rejected for having the pixels of another, as in an index."""
    present = (records_path / REJECTED_TABLE.name).exists()
    return REJECTED_TABLE.read(records_path) if present else REJECTED_TABLE.rows([])


def assigned(records_path: Path, folds_path: Path) -> pd.DataFrame:
    """The index with the part, the fold and the group of every record as the split assigned them.

    The group that the index names, before groups were joined, is in `named_group`.
    Raises UserError if the folds are of other records, Damaged if rows of the index are missing.
    """
    table, folds = read(records_path), FOLDS_TABLE.read(folds_path)
    _refuse_other_count(records_path, table)
    if not table["filename"].equals(folds["filename"]):
        raise UserError(
            f"{folds_path / FOLDS_TABLE.name} is of other records than "
            f"{records_path / INDEX_TABLE.name}. Run `dvc repro split`."
        )
    given = folds[["part", "fold", "group"]].to_dict("series")
    return table.assign(named_group=table["group"], **given)


def _refuse_other_count(records_path: Path, table: pd.DataFrame) -> None:
    """Refuse an index cut between two rows, which reads as a shorter one."""
    if not (records_path / SHARDS_TABLE.name).exists():  # reported by whoever reads the shards
        return
    records = SHARDS_TABLE.read(records_path)["records"].sum()
    if records != len(table):
        raise Damaged(
            f"{records_path / INDEX_TABLE.name}: {len(table):,} rows, the shards hold {records:,} "
            "records. Run `dvc repro -f build_tfrecord`."
        )


def training_and_validation(table: pd.DataFrame, fold: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All training folds but one, and that one. Raises UserError if there is no such fold."""
    training = table[table["part"] == "train"]
    folds = training["fold"].max() + 1
    if fold >= folds:
        raise UserError(
            f"params.yaml, train.fold: must be below split.folds ({folds}), got {fold}; "
            "folds count from 0."
        )
    return training[training["fold"] != fold], training[training["fold"] == fold]


def spread(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most that many rows, evenly spaced."""
    places = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))
    return rows.iloc[places]


def spread_over_classes(labels: np.ndarray, count: int) -> np.ndarray:
    """Row numbers of up to `count` images: the first of every class, then the second of every one.

    With more classes than `count`, evenly spaced classes. labels: int, shape (images,).
    """
    occurrence = np.empty(len(labels), int)
    for label in np.unique(labels):
        occurrence[labels == label] = np.arange((labels == label).sum())
    order = np.lexsort((labels, occurrence))[: max(count, len(np.unique(labels)))]
    return order[np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)]


def refuse_other_classes(table: pd.DataFrame, names: list[str], models_path: Path) -> None:
    """Raise a UserError if a model was trained for other classes than those of the index."""
    if classes(table) != names:
        raise UserError(
            f"{models_path}: trained for the classes {names}, the records hold {classes(table)}. "
            "Run `dvc repro train`."
        )


def classes(table: pd.DataFrame) -> list[str]:
    """The class names of an index, in the order of their labels."""
    names = table.drop_duplicates("label").sort_values("label")
    return names["class_name"].tolist()
