"""A folder of pictures looked through before it becomes a source; nothing is written."""

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from trackbed.ingest import check, duplicates, folders, hazards, sources
from trackbed.ingest.entries import Listing, shown
from trackbed.ingest.hazards import Hazard
from trackbed.ingest.limits import Limits
from trackbed.problems import Problem

COLUMNS = ["filename", "outcome", "reason", "detail"]
HAZARD, REJECTED, IGNORED = "hazard", "rejected", "ignored"


@dataclass(frozen=True)
class Survey:
    """What was found; `counts` is empty where the pictures were not checked."""

    hazards: list[Hazard]
    files: int  # all there are, of any kind
    rejects: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS))
    ignored: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    refusal: Problem | None = None  # why the folder as a whole is no source

    def is_fine(self) -> bool:
        """Whether `dvc add` is safe and the build would take every picture."""
        return not self.hazards and self.rejects.empty and self.refusal is None

    def table(self) -> pd.DataFrame:
        """A row per hazard, rejected file and ignored file; columns as in COLUMNS."""
        dangers = pd.DataFrame([vars(one) for one in self.hazards]).assign(outcome=HAZARD)
        ignored = pd.DataFrame({"filename": self.ignored}).assign(outcome=IGNORED)
        rejected = self.rejects.assign(outcome=REJECTED)
        parts = [part for part in (dangers, rejected, ignored) if len(part)]
        table = pd.concat(parts) if parts else rejected
        return table.reindex(columns=COLUMNS).fillna("")


def survey(
    folder: Path,
    classes: list[str] | None,
    limits: Limits,
    crop_margin: float,
    workers: int | None,
) -> Survey:
    """Look through a folder as the build would; `workers` None leaves the pictures unopened.

    Raises BadData where it is no folder, or cannot be listed.
    """
    tree = folders.walk(folder)
    dangers = hazards.found(folder, tree)
    files, ignored = len(tree.files) + len(tree.ignored), [shown(name) for name in tree.ignored]
    try:
        listing = sources.scan(folder, classes, sources.Grouping(None, False))
    except Problem as problem:
        return Survey(dangers, files, ignored=ignored, refusal=problem)
    checking = check.Check(listing, limits, crop_margin, workers or 1)
    if workers is not None:
        _check(checking, listing)
    counts = checking.counts() if workers is not None else {}
    return Survey(dangers, files, checking.rejects(), listing.ignored, counts)


def _check(checking: check.Check, listing: Listing) -> None:
    """Go through all pictures, and reject those that contradict each other."""
    rows = []
    with closing(checking.accepted()) as pictures:
        for record, (entry, picture) in enumerate(pictures):
            rows.append((record, entry.filename, entry.class_name, entry.part, picture.pixel_hash))
    columns = ["record", "filename", "class_name", "part", "pixel_hash"]
    table = pd.DataFrame(rows, columns=columns)
    checking.reject(table, duplicates.to_leave_out(table, "reject"))
