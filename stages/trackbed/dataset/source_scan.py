"""Scan a folder before it becomes a source: what stops `dvc add` or the build."""

import os
import stat
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from trackbed.dataset import (
    check,
    duplicates,
    folders,
    groups,
    layouts,
    manifest_csv,
    rails,
    sources,
)
from trackbed.dataset.folders import Tree
from trackbed.dataset.schema import BAD_NAME, UNREADABLE, Limits, Listing, has_bad_name, printable
from trackbed.pipeline.errors import UserError

LINK = "symbolic link"  # dvc add copies its target into the cache
PIPE = "pipe"
EMPTY_CLASS = "empty class folder"  # it is gone after `dvc pull`
FILE_TYPES = {
    stat.S_IFLNK: LINK,
    stat.S_IFIFO: PIPE,
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True, order=True)
class Hazard:
    """Something in a folder that `dvc add` cannot keep as it is; safe to print."""

    filename: str  # relative to the folder, '.' for the folder itself
    reason: str
    detail: str = ""


def hazards(root: Path, tree: Tree) -> list[Hazard]:
    """All hazards of a folder and of what lies in it, hidden files too, sorted by name.

    `tree`: folders.walk(root). Nothing is opened.
    """
    hazards = [_irregular(root, "")] if root.is_symlink() else []
    hazards += [_irregular(root, name) for name in tree.irregular]
    for name in (*tree.files, *tree.ignored, *tree.folders):
        if has_bad_name(name):
            hazards.append(Hazard(printable(name), BAD_NAME, _name_fault(name)))
    hazards += [
        Hazard(printable(name), UNREADABLE, "permission denied")
        for name in (*tree.files, *tree.ignored)
        if name not in tree.irregular and not os.access(root / name, os.R_OK)
    ]
    return sorted(hazards + _empty_classes(root, tree))


def _irregular(root: Path, name: str) -> Hazard:
    path = root / name
    kind = FILE_TYPES.get(stat.S_IFMT(path.lstat().st_mode), "neither a file nor a folder")
    detail = f"to {printable(os.readlink(path))}" if kind == LINK else ""
    return Hazard(printable(name) or ".", kind, detail)


def _name_fault(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        return "not UTF-8"
    return "control characters"


def _empty_classes(root: Path, tree: Tree) -> list[Hazard]:
    if manifest_csv.MANIFEST in tree.files or rails.files(tree):
        return []
    try:
        empty = layouts.empty_classes(root, tree)
    except UserError:  # unclear which folders are classes; reported when the source is read
        return []
    return [Hazard(printable(name), EMPTY_CLASS) for name in empty]


COLUMNS = ["filename", "outcome", "reason", "detail"]
HAZARD, REJECTED, IGNORED = "hazard", "rejected", "ignored"


@dataclass(frozen=True)
class ScanResult:
    """What a scan found; `counts` is empty where the pictures were not checked."""

    hazards: list[Hazard]
    files: int  # all there are, of any kind
    rejects: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS))
    ignored: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    refusal: UserError | None = None  # why the folder as a whole is no source

    def is_fine(self) -> bool:
        """Whether `dvc add` is safe and the build would take every picture."""
        return not self.hazards and self.rejects.empty and self.refusal is None

    def table(self) -> pd.DataFrame:
        """A row per hazard, rejected file and ignored file; columns as in COLUMNS."""
        hazards = pd.DataFrame([vars(one) for one in self.hazards]).assign(outcome=HAZARD)
        ignored = pd.DataFrame({"filename": self.ignored}).assign(outcome=IGNORED)
        rejected = self.rejects.assign(outcome=REJECTED)
        parts = [part for part in (hazards, rejected, ignored) if len(part)]
        table = pd.concat(parts) if parts else rejected
        return table.reindex(columns=COLUMNS).fillna("")


def scan(
    folder: Path,
    classes: list[str] | None,
    limits: Limits,
    crop_margin: float,
    workers: int | None,
) -> ScanResult:
    """Look through a folder as the build would; `workers` None leaves the pictures unopened.

    Raises BadData where it is no folder, or cannot be listed.
    """
    tree = folders.walk(folder)
    found = hazards(folder, tree)
    files, ignored = len(tree.files) + len(tree.ignored), [printable(name) for name in tree.ignored]
    try:
        listing = sources.scan(folder, classes, groups.Grouping(None, False))
    except UserError as problem:
        return ScanResult(found, files, ignored=ignored, refusal=problem)
    checking = check.SourceCheck(listing, limits, crop_margin, workers or 1)
    if workers is not None:
        _check_pictures(checking, listing)
    counts = checking.counts() if workers is not None else {}
    return ScanResult(found, files, checking.rejects(), listing.ignored, counts)


def _check_pictures(checking: check.SourceCheck, listing: Listing) -> None:
    """Go through all pictures, and reject those that contradict each other."""
    rows = []
    with closing(checking.accepted()) as pictures:
        for record, (entry, picture) in enumerate(pictures):
            rows.append((record, entry.filename, entry.class_name, entry.part, picture.pixel_hash))
    columns = ["record", "filename", "class_name", "part", "pixel_hash"]
    table = pd.DataFrame(rows, columns=columns)
    checking.reject(table, duplicates.conflicts_to_reject(table, "reject"))
