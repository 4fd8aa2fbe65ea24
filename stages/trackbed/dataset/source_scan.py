"""Scan a folder before it becomes a source: what stops `dvc add` or the build."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

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
from trackbed.dataset.folders import Hints, Tree
from trackbed.dataset.schema import Entry
from trackbed.pictures.file_names import has_bad_name, printable
from trackbed.pictures.rejections import BAD_NAME, UNREADABLE, Limits
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


def hazards(root: Path, tree: Tree, settings: "Settings | None" = None) -> list[Hazard]:
    """All hazards of a folder and of what lies in it, hidden files too, sorted by name.

    `tree`: folders.walk(root). `settings`: tell classes from parts. Nothing is opened.
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
    return sorted(hazards + _empty_classes(root, tree, settings))


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


def _empty_classes(root: Path, tree: Tree, settings: "Settings | None") -> list[Hazard]:
    if manifest_csv.MANIFEST in tree.files or rails.files(tree):
        return []
    hints = Hints() if settings is None else settings.hints()
    try:
        empty = layouts.empty_classes(root, tree, hints)
    except UserError:  # unclear which folders are classes; reported when the source is read
        return []
    return [Hazard(printable(name), EMPTY_CLASS) for name in empty]


COLUMNS = ["filename", "outcome", "reason", "detail"]
CSV = "the file of --csv"
HAZARD, REJECTED, IGNORED = "hazard", "rejected", "ignored"


@dataclass(frozen=True)
class Settings:
    """What the parameters say to build and split; see sections `data` and `split`."""

    limits: Limits
    classes: list[str] | None = None
    parts: Mapping[str, str] | None = None
    grouping: groups.Grouping = field(default_factory=lambda: groups.Grouping(None, False))
    crop_margin: float = 0.0
    max_rejects: float = 0.05
    on_conflict: duplicates.OnConflict = "reject"
    split: Callable[[pd.DataFrame], object] | None = None  # of an index; None: it is not tried

    def hints(self) -> Hints:
        """What they say about folders."""
        return Hints(self.classes or (), self.parts, self.grouping.pattern == groups.FOLDER)


@dataclass(frozen=True)
class ScanResult:
    """What a scan found; `counts` is empty where the pictures were not checked."""

    hazards: list[Hazard]
    files: int  # all there are, of any kind
    rejects: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS))
    ignored: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what was taken for what
    build_problems: list[str] = field(default_factory=list)  # each would stop the build
    split_problems: list[str] = field(default_factory=list)  # each would stop the split

    def is_fine(self) -> bool:
        """Whether nothing in the folder stops `dvc add`, the build or the split."""
        return not (self.hazards or self.build_problems or self.split_problems)

    def table(self) -> pd.DataFrame:
        """A row per hazard, rejected file and ignored file; columns as in COLUMNS."""
        hazards = pd.DataFrame([vars(one) for one in self.hazards]).assign(outcome=HAZARD)
        ignored = pd.DataFrame({"filename": self.ignored}).assign(outcome=IGNORED)
        rejected = self.rejects.assign(outcome=REJECTED)
        parts = [part for part in (hazards, rejected, ignored) if len(part)]
        table = pd.concat(parts) if parts else rejected
        return table.reindex(columns=COLUMNS).fillna("")


def scan(folder: Path, settings: Settings, workers: int | None) -> ScanResult:
    """Look through a folder as the build would; `workers` None leaves the pictures unopened.

    All problems are found at once, but for groups that the split joins because pictures look
    alike. Raises BadData where it is no folder, or cannot be listed.
    """
    tree = folders.walk(folder)
    found = hazards(folder, tree, settings)
    files, ignored = len(tree.files) + len(tree.ignored), [printable(name) for name in tree.ignored]
    try:
        listing, problems = sources.listing_and_problems(
            folder, settings.classes, settings.grouping, settings.parts
        )
    except UserError as problem:
        return ScanResult(found, files, ignored=ignored, build_problems=[str(problem)])
    # Of the others the problems tell.
    with_files = sorted({entry.class_name for entry in listing.entries})
    listing = replace(listing, classes=with_files)
    checking = check.SourceCheck(listing, settings.limits, settings.crop_margin, workers or 1)
    if workers is None:
        accepted, counts = _table((entry, "") for entry in listing.entries), {}
    else:
        accepted = _accepted(checking, settings, problems)
        counts = checking.counts()
        # The second one names classes of which nothing is left.
        for limit in (settings.max_rejects, 1.0):
            _collect(problems, checking.refuse_too_many_rejects, limit, CSV)
    splitting: list[UserError] = []
    if settings.split and accepted["label"].nunique() > 1:
        _collect(splitting, settings.split, accepted)
    return ScanResult(
        found,
        files,
        checking.rejects(),
        listing.ignored,
        counts,
        [*listing.notes, *_noted(checking)],
        list(dict.fromkeys(map(str, problems))),
        list(map(str, splitting)),
    )


def _noted(checking: check.SourceCheck) -> Iterator[str]:
    """What the build would list of the files of pictures that it accepts."""
    for finding, rows in checking.noted().groupby("finding", sort=False):
        first = rows.iloc[0]
        some = (
            f"{len(rows):,} of the files, such as {first['filename']}: "
            if first["filename"]
            else ""
        )
        yield f"{finding}: {some}{first['detail']}"


def _collect(problems: list[UserError], function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function; its UserError goes to the problems instead."""
    try:
        return function(*arguments)
    except UserError as problem:
        problems.append(problem)


def _table(rows: Iterable[tuple[Entry, str]]) -> pd.DataFrame:
    """Entries and their pixel hashes in columns of an index."""
    table = pd.DataFrame(
        [(e.filename, e.class_name, e.part, e.group, pixel_hash) for e, pixel_hash in rows],
        columns=["filename", "class_name", "part", "group", "pixel_hash"],
    )
    return table.assign(record=range(len(table)), label=pd.factorize(table["class_name"])[0])


def _accepted(
    checking: check.SourceCheck, settings: Settings, problems: list[UserError]
) -> pd.DataFrame:
    """The pictures that the build would keep: all are checked, and whether they contradict."""
    with closing(checking.accepted()) as pictures:
        table = _table((entry, picture.pixel_hash) for entry, picture in pictures)
    conflicts = _collect(problems, duplicates.conflicts_to_reject, table, settings.on_conflict)
    if conflicts is None:
        return table
    checking.reject(table, conflicts)
    return table[~table["record"].isin(conflicts["record"])].reset_index(drop=True)
