"""The data set: counts, rejected files, and findings with pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.pipeline import index, tables
from trackbed.reporting import html

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
    """What build_tfrecord and split found.

    index: with the assigned part and fold. files: how many were seen, accepted, rejected and
    ignored. counts: see `counts`. fold_images: images per fold of the training part. groups: the
    counts of groups that split wrote. findings: see `pictured_findings`. set_findings: see there.
    """

    index: pd.DataFrame
    files: dict[str, int]
    reasons: list[Reason]
    counts: pd.DataFrame
    fold_images: list[int]
    groups: dict[str, int | None]
    findings: list["Finding"] = field(default_factory=list)
    set_findings: list[str] = field(default_factory=list)


def read(data_path: Path, metrics_path: Path) -> Dataset:
    """Read the records' tables, the folds, and the counts of files and groups (JSON).

    Raises UserError.
    """
    records_path = data_path / index.RECORDS
    table = index.assigned(records_path, data_path / index.FOLDS)
    training = table[table["part"] == "train"]
    return Dataset(
        index=table,
        files=tables.metrics(
            metrics_path / index.COUNTS_FILE, "Run `dvc repro -f build_tfrecord`."
        ),
        reasons=reject_reasons(index.REJECTS_TABLE.read(records_path), LISTED_REJECTS),
        counts=class_counts(table),
        fold_images=training["fold"].value_counts().sort_index().tolist(),
        groups=tables.metrics(metrics_path / index.GROUPS_FILE, "Run `dvc repro -f split`."),
        findings=pictured_findings(records_path),
        set_findings=set_findings(index.FINDINGS_TABLE.read(records_path)),
    )


def class_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Images per class (rows, in label order) and part (columns train, test, total)."""
    by_label = pd.crosstab(table["label"], table["part"]).reindex(columns=PARTS, fill_value=0)
    return by_label.assign(total=by_label.sum(axis=1)).set_axis(index.classes(table), axis=0)


def reject_reasons(rejects: pd.DataFrame, most: int) -> list[Reason]:
    """Rejected files by reason, the most frequent first, with up to `most` names each."""
    groups = [
        Reason(reason, len(rows), rows["filename"].head(most).tolist())
        for reason, rows in rejects.groupby("reason", sort=True)
    ]
    return sorted(groups, key=lambda group: -group.images)


EXAMPLES = 6  # of each kind
SIDE = 112  # pixels
LISTED_CLASSES = 3
IN_TWO_CLASSES = "Only one label can be right."
LEAK = "A test image is also a training image: the scores are too high."
TWICE = "It counts twice in training or in the test part."
MEANINGS = {
    index.CONTRADICTION: f"{IN_TWO_CLASSES} Remove the other; data.on_conflict can reject both.",
    index.NEAR_CONTRADICTION: f"{IN_TWO_CLASSES} Or the classes overlap. Look at both.",
    index.IN_TEST: f"{LEAK} Remove one; data.on_conflict can reject the one for training.",
    index.NEAR_TEST: f"{LEAK} Look at both, and remove the one for training.",
    index.DUPLICATE: f"The same pixels as an earlier image. {TWICE}",
    index.NEAR: f"Almost the same as an earlier image of another group. {TWICE} Put both into one "
    "group to keep them in the same part.",
    index.BLACK: "Black or almost black.",
    index.WHITE: "White or almost white.",
    index.LOW_INFORMATION: "A uniform surface with hardly any contrast.",
    index.BLURRED: "Hardly any edges: out of focus, motion blur, haze, or a smooth surface.",
    index.UNUSUAL_BRIGHTNESS: "Much darker or brighter than its class: night, glare, or a wrong "
    "label.",
    index.UNUSUAL_SHAPE: "Much wider or taller than its class: distorted when resized to a square.",
    index.UNUSUAL_SIZE: "Much larger or smaller than its class.",
    index.SCALED_BOX: "Its box counts in a picture of another size, and was scaled with it.",
    index.SEVERAL_PAGES: "The file has several pages or frames, of which only the first is used.",
}
REJECTED = {
    index.CONTRADICTION: f"{IN_TWO_CLASSES} All are left out until the wrong one is removed.",
    index.IN_TEST: "Left out of training, so that the test part stays unseen.",
}


@dataclass(frozen=True)
class Side:
    """A file of a finding; class and part are '' where they are not known, as of a reject."""

    filename: str
    class_name: str = ""
    part: str = ""


@dataclass(frozen=True)
class Example:
    """One or two files with their pictures: one where both are the same pixel by pixel, none
    where the records hold neither. uris: data URIs.
    """

    uris: list[str]
    sides: list[Side]
    detail: str


@dataclass(frozen=True)
class Finding:
    """A kind of finding, what it means, the classes of most of its images, and examples."""

    kind: str
    rejected: bool
    meaning: str
    images: int
    classes: list[tuple[str, int]]
    examples: list[Example]

    @property
    def title(self) -> str:
        """The kind, and whether these pictures were rejected for it."""
        return f"{self.kind} (rejected)" if self.rejected else self.kind


def pictured_findings(records_path: Path) -> list[Finding]:
    """All kinds that occur, in the order of index.FINDING_TYPES, those that were rejected first.

    Raises UserError for tables or shards that are missing or broken.
    """
    table = index.read(records_path)
    rows = table.set_index("record", drop=False)
    found, rejects = index.FINDINGS_TABLE.read(records_path), index.REJECTS_TABLE.read(records_path)
    known = pd.concat([table, index.read_rejected(records_path)], ignore_index=True)
    known = known.drop_duplicates("filename").set_index("filename", drop=False)
    found = found[~found["finding"].isin(index.SET_FINDINGS)]
    by_kind = dict(tuple(found.groupby("finding")))
    refused = dict(tuple(rejects.groupby("reason")))
    return [
        *(
            _finding(kind, refused[kind], _rejected(records_path, refused[kind], known))
            for kind in REJECTED
            if kind in refused
        ),
        *(
            _finding(kind, by_kind[kind], _kept(records_path, by_kind[kind], rows))
            for kind in index.FINDING_TYPES
            if kind in by_kind
        ),
    ]


def set_findings(found: pd.DataFrame) -> list[str]:
    """The findings about the whole set, a sentence each. found: of index.FINDINGS_TABLE."""
    rows = found[found["finding"].isin(index.SET_FINDINGS)]
    return [f"{row.finding.capitalize()}: {row.detail}." for row in rows.itertuples()]


def size_ranges(table: pd.DataFrame) -> list[tuple[str, int, float, int]]:
    """Name, smallest, median and largest of width and height, pixels. table: an index."""
    return [
        (side, int(values.min()), float(values.median()), int(values.max()))
        for side, values in (("Width", table["width"]), ("Height", table["height"]))
    ]


def imbalance_sentence(images: pd.Series) -> str:
    """How much larger the largest class is than the smallest; images: of each class."""
    largest, smallest = int(images.max()), int(images.min())
    if largest == smallest:
        return f"Every class has {largest:,} {'image' if largest == 1 else 'images'}."
    if not smallest or largest < 1.05 * smallest:
        return f"The classes have {smallest:,} to {largest:,} images."
    return (
        f"The largest class has {largest / smallest:.1f} times as many images as the smallest "
        f"({largest:,} and {smallest:,})."
    )


def format_counts(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Formats by content with their images, the most frequent first. table: an index."""
    return _frequent(table["format"])


def findings_sentence(found: list[Finding], of_the_set: Sequence[str] = ()) -> str:
    """The findings about the set, and all kinds with their images in one sentence; '' for none."""
    counted = ", ".join(f"{one.images:,} {one.title}" for one in found)
    images = f"Images to check: {counted} (findings.csv and rejects.csv)." if counted else ""
    return " ".join(filter(None, [*of_the_set, images]))


def _finding(kind: str, rows: pd.DataFrame, examples: Iterator[Example]) -> Finding:
    rejected = "class_name" not in rows
    classes = [] if rejected else _frequent(rows["class_name"])[:LISTED_CLASSES]
    meaning = (REJECTED if rejected else MEANINGS)[kind]
    return Finding(kind, rejected, meaning, len(rows), classes, list(examples))


def _kept(records_path: Path, found: pd.DataFrame, rows: pd.DataFrame) -> Iterator[Example]:
    """Some of a kind, the first of every class first, each with its other one."""
    turn = found.groupby("class_name", sort=False).cumcount()
    for one in found.loc[turn.sort_values(kind="stable").index].head(EXAMPLES).itertuples():
        records = [number for number in (one.record, one.other_record) if number in rows.index]
        different = records[:1] if one.finding in index.EXACT_FINDINGS else records
        yield Example(
            [_uri(records_path, rows.loc[record]) for record in different],
            [_side(rows.loc[record]) for record in records],
            one.detail,
        )


def _rejected(records_path: Path, rejects: pd.DataFrame, known: pd.DataFrame) -> Iterator[Example]:
    """The first of a reason with the images that they repeat. known: rows of which there are
    pictures, by file name.
    """
    for one in rejects.head(EXAMPLES).itertuples():
        names = (one.filename, one.detail)
        pictured = [known.loc[name] for name in names if name in known.index]
        yield Example(
            [_uri(records_path, row) for row in pictured[:1]],
            [_side(known.loc[name]) if name in known.index else Side(name) for name in names],
            "the same pixels",
        )


def _uri(records_path: Path, row: Any) -> str:
    return html.data_uri(html.thumbnail(records_path, row, SIDE))


def _side(row: Any) -> Side:
    return Side(row.filename, row.class_name, row.part)


def _frequent(values: pd.Series) -> list[tuple[str, int]]:
    """Values with their numbers, the most frequent first, ties in alphabetical order."""
    return sorted(values.value_counts().items(), key=lambda pair: (-pair[1], pair[0]))
