"""The tables that describe the records: index, rejects and folds, read and written here alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from trackbed.pipeline import tables
from trackbed.pipeline.errors import Damaged, UserError
from trackbed.pipeline.outputs import write_csv

if TYPE_CHECKING:
    import pandas as pd

# Folders in the data folder.
RECORDS = "records"
FOLDS = "folds"

INDEX_FILE = "index.csv"
REJECTS_FILE = "rejects.csv"
REJECTED_FILE = "rejected.csv"
FINDINGS_FILE = "findings.csv"
SHARDS_FILE = "shards.csv"  # of trackbed.records.integrity
FOLDS_FILE = "folds.csv"

# In the metrics folder.
COUNTS_FILE = "data.json"  # of files, records and findings
GROUPS_FILE = "split.json"  # of groups

INDEX_TYPES = {
    "record": "int64",  # position in the index, 0 .. records - 1
    "filename": "str",  # relative to the source, with forward slashes
    "label": "int64",  # 0 .. classes - 1
    "class_name": "str",
    "part": "str",  # 'train' or 'test' where the source says so, else ''
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
    "brightness": "float64",  # mean of the grey values, 0..255
    "contrast": "float64",  # their standard deviation
    "sharpness": "float64",  # variance of their Laplacian
}
REJECTS_TYPES = {"filename": "str", "reason": "str", "detail": "str"}
FINDINGS_TYPES = {
    "record": "int64",
    "filename": "str",
    "class_name": "str",
    "part": "str",  # as in the index
    "finding": "str",  # one of FINDING_TYPES
    "detail": "str",  # the numbers
    "other": "str",  # the file that it is the same as, or near; else ''
    "other_record": "int64",  # and its record, or NO_RECORD
}
NO_RECORD = -1
# What can be wrong or unusual with a record that got in.
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

# In the order in which they are listed: what spoils a score first.
EXACT_FINDINGS = (CONTRADICTION, IN_TEST, DUPLICATE)
NEAR_FINDINGS = (NEAR_CONTRADICTION, NEAR_TEST, NEAR)
FINDING_TYPES = (
    *(CONTRADICTION, NEAR_CONTRADICTION, IN_TEST, NEAR_TEST, DUPLICATE, NEAR),
    *(BLACK, WHITE, LOW_INFORMATION, BLURRED),
    *(UNUSUAL_BRIGHTNESS, UNUSUAL_SHAPE, UNUSUAL_SIZE),
)
FOLDS_TYPES = {
    "record": "int64",
    "filename": "str",
    "part": "str",  # 'train' or 'test'
    "fold": "int64",  # 0 .. folds - 1 for part train, -1 for part test
    "group": "str",  # images of one group never stand on both sides of a split
}
TEST_FOLD = -1
REMEDY = "Run `dvc repro`."


def read(records_path: Path) -> pd.DataFrame:
    """The index of a records folder, one row per record, columns as in INDEX_TYPES."""
    path = records_path / INDEX_FILE
    table = _read(path, INDEX_TYPES)
    _refuse_wrong_labels(path, table)
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


def write(records_path: Path, table: pd.DataFrame) -> None:
    """Write index.csv into a records folder."""
    write_csv(records_path / INDEX_FILE, table[list(INDEX_TYPES)])


def read_rejects(records_path: Path) -> pd.DataFrame:
    """The files that did not get in, columns as in REJECTS_TYPES."""
    return _read(records_path / REJECTS_FILE, REJECTS_TYPES)


def write_rejects(records_path: Path, table: pd.DataFrame) -> None:
    """Write rejects.csv into a records folder."""
    write_csv(records_path / REJECTS_FILE, table[list(REJECTS_TYPES)])


def read_rejected(records_path: Path) -> pd.DataFrame:
    """Some records that were rejected for being another's twin, columns as in INDEX_TYPES."""
    path = records_path / REJECTED_FILE
    return _read(path, INDEX_TYPES) if path.exists() else _empty(INDEX_TYPES)


def write_rejected(records_path: Path, table: pd.DataFrame) -> None:
    """Write rejected.csv into a records folder."""
    write_csv(records_path / REJECTED_FILE, table[list(INDEX_TYPES)])


def read_findings(records_path: Path) -> pd.DataFrame:
    """What is to be said against records that got in, columns as in FINDINGS_TYPES."""
    return _read(records_path / FINDINGS_FILE, FINDINGS_TYPES)


def write_findings(records_path: Path, table: pd.DataFrame) -> None:
    """Write findings.csv into a records folder."""
    write_csv(records_path / FINDINGS_FILE, table[list(FINDINGS_TYPES)])


def read_folds(folds_path: Path) -> pd.DataFrame:
    """Part and fold of every record, in the order of the index, columns as in FOLDS_TYPES."""
    return _read(folds_path / FOLDS_FILE, FOLDS_TYPES)


def write_folds(folds_path: Path, table: pd.DataFrame) -> None:
    """Write folds.csv into a folds folder."""
    write_csv(folds_path / FOLDS_FILE, table[list(FOLDS_TYPES)])


def assigned(records_path: Path, folds_path: Path) -> pd.DataFrame:
    """The index with the part, the fold and the group of every record as the split assigned them.

    The group that the index names, before groups were joined, is in `named_group`.
    Raises UserError if the folds were drawn for other records, or rows of the index are gone.
    """
    table, folds = read(records_path), read_folds(folds_path)
    _refuse_other_count(records_path, table)
    if not table["filename"].equals(folds["filename"]):
        raise UserError(
            f"{folds_path / FOLDS_FILE} was drawn for other records than "
            f"{records_path / INDEX_FILE}. Run `dvc repro split`."
        )
    given = folds[["part", "fold", "group"]].to_dict("series")
    return table.assign(named_group=table["group"], **given)


def _refuse_other_count(records_path: Path, table: pd.DataFrame) -> None:
    """Refuse an index cut between two rows, which reads as a shorter one."""
    path = records_path / SHARDS_FILE
    if not path.exists():  # told by whoever reads the shards
        return
    records = tables.read_csv(path, REMEDY)["records"].sum()
    if records != len(table):
        raise Damaged(
            f"{records_path / INDEX_FILE}: {len(table):,} rows, the shards hold {records:,} "
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


def _empty(types: dict[str, str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns=list(types)).astype(types)


def _read(path: Path, types: dict[str, str]) -> pd.DataFrame:
    # Without na_filter=False a class called NA, or an empty part, would become NaN.
    table = tables.read_csv(path, REMEDY, dtype=types, na_filter=False)
    if list(table.columns) != list(types):
        raise UserError(
            f"{path}: columns are {list(table.columns)}, expected {list(types)}. {REMEDY}"
        )
    return table
