"""Check the pictures of a source in chunks, and count what becomes of every file."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import rich.progress

from trackbed.dataset import box_scale, images, pool
from trackbed.dataset.schema import Entry, Listing, Picture
from trackbed.pictures import deep_pixels
from trackbed.pictures.crop_boxes import BoxFit
from trackbed.pictures.rejections import BOX_OF_OTHER_SIZE, BOX_OUTSIDE, NO_LABEL, Limits, Rejected
from trackbed.pipeline.errors import BadData, UserError
from trackbed.pipeline.index import BOX_SCALE, REJECTS_TABLE, SCALED_BOX, SEVERAL_PAGES, WHITE_LEVEL

# About 10 ms of work: enough to outweigh the way to another process and back.
CHUNK_PICTURES = 32
CHUNK_FILE_BYTES = 2**19


def chunks(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in their order, in chunks that take about 10 ms to check."""
    chunk: list[Entry] = []
    file_bytes = 0
    for entry in entries:
        chunk.append(entry)
        file_bytes += _file_bytes(entry)
        if len(chunk) == CHUNK_PICTURES or file_bytes >= CHUNK_FILE_BYTES:
            yield chunk
            chunk, file_bytes = [], 0
    if chunk:
        yield chunk


def _file_bytes(entry: Entry) -> int:
    if entry.raw is not None:
        return entry.raw.length
    try:
        return entry.path.lstat().st_size
    except OSError:
        return 0  # to be rejected when it is read


CACHE = Path(".cache")
LISTED_CLASSES = 5  # in a message
# Several processes begin to pay off from here on: having them takes as long as checking some 15
# chunks of 32 JPEGs of 150 x 150 each.
CHUNKS_PER_WORKER = 20


def prepare(folder: Path, workers: int) -> None:
    """Start several processes early, if a source will need them, as far as its files can tell."""
    enough, files = 2 * CHUNKS_PER_WORKER * CHUNK_PICTURES, 0
    if workers < 2:
        return
    for _, _, names in os.walk(folder):
        files += len(names)
        if files >= enough:
            pool.prepare()
            return


class SourceCheck:
    """Checks the pictures of a listing once, and keeps what was rejected, with the reason."""

    def __init__(
        self, listing: Listing, limits: Limits, crop_margin: float, workers: int = 1
    ) -> None:
        self.listing, self.workers = listing, workers
        self._check_chunk = images.ChunkCheck(limits, crop_margin)
        self._rejects = [
            {"filename": name, "reason": reason, "detail": ""} for name, reason in listing.strays
        ]
        self._accepted = dict.fromkeys(listing.classes, 0)
        self._class_rejects: dict[str, list[dict[str, str]]] = {}
        # Pages of files with several, and the largest value of files of 16 bits, by file name.
        self.pages: dict[str, int] = {}
        self.peaks: dict[str, int] = {}
        self.boxes: list[tuple[str, BoxFit]] = []

    def accepted(self) -> Iterator[tuple[Entry, Picture]]:
        """The pictures that can be used, in the order of the listing.

        They are checked by `workers` processes, or fewer where more would not be quicker.
        Raises UserError if one of the processes is killed.
        """
        with closing(self._outcomes()) as outcomes:
            for entry, outcome in rich.progress.track(
                outcomes,
                "checking",
                total=len(self.listing.entries),
                disable=not sys.stdout.isatty(),
                transient=True,
            ):
                if isinstance(outcome, Picture):
                    self._accept(entry, outcome)
                    yield entry, outcome
                else:
                    row = {"filename": entry.filename, "reason": outcome.reason}
                    self._reject(entry.class_name, row | {"detail": outcome.detail})

    def _accept(self, entry: Entry, picture: Picture) -> None:
        self._accepted[entry.class_name] += 1
        if picture.pages > 1:
            self.pages[entry.filename] = picture.pages
        if picture.peak:
            self.peaks[entry.filename] = picture.peak
        if picture.box is not None:
            self.boxes.append((entry.filename, picture.box))

    def _reject(self, class_name: str, row: dict[str, str]) -> None:
        self._rejects.append(row)
        self._class_rejects.setdefault(class_name, []).append(row)

    def _outcomes(self) -> Iterator[tuple[Entry, Picture | Rejected]]:
        """Every entry with its picture or rejection, in the order of the listing."""
        waiting = list(chunks(self.listing.entries))
        workers = max(1, min(self.workers, len(waiting) // CHUNKS_PER_WORKER))
        with closing(pool.ordered_map(self._check_chunk, waiting, workers)) as results:
            for number, chunk in enumerate(waiting):
                try:
                    outcomes = next(results)
                except pool.WorkerKilled:
                    raise _killed_error(
                        waiting[number : number + workers * pool.ITEMS_AHEAD]
                    ) from None
                while chunk:
                    yield from zip(chunk, outcomes, strict=False)
                    chunk = chunk[len(outcomes) :]
                    outcomes = self._check_chunk(chunk)

    def reject(self, table: pd.DataFrame, rejects: pd.DataFrame) -> None:
        """Reject records that were accepted.

        table: the index. rejects: columns record, filename, reason and detail.
        """
        names = table.set_index("record")["class_name"]
        for record, *cells in rejects[["record", *REJECTS_TABLE.columns]].itertuples(index=False):
            self._accepted[names[record]] -= 1
            self._reject(names[record], dict(zip(REJECTS_TABLE.columns, cells, strict=True)))

    def rejects(self) -> pd.DataFrame:
        """One row per file that did not get in, sorted by name."""
        columns = list(REJECTS_TABLE.columns)
        return pd.DataFrame(self._rejects, columns=columns).sort_values(columns)

    def noted(self) -> pd.DataFrame:
        """What the files of accepted pictures hold beside them; see findings.findings."""
        rows = [
            (name, SEVERAL_PAGES, f"the first of {pages:,} is used")
            for name, pages in self.pages.items()
        ]
        white_level = self._check_chunk.limits.white_level
        if sentence := deep_pixels.white_level_sentence(self.peaks.values(), white_level):
            rows.append(("", WHITE_LEVEL, sentence))
        fits = [fit for _, fit in self.boxes]
        outside = sum(1 for row in self._rejects if row["reason"] == BOX_OUTSIDE)
        if sentence := box_scale.box_sentence(fits, outside):
            rows.append(("", BOX_SCALE, sentence))
        if box_scale.scaled_alone(fits):
            scaled = {name: fit.detail for name, fit in self.boxes if fit.detail}
            rows += [(name, SCALED_BOX, detail) for name, detail in scaled.items()]
        return pd.DataFrame(rows, columns=["filename", "finding", "detail"])

    def counts(self) -> dict[str, int]:
        """How many pictures and other files there are: seen, accepted, rejected and ignored.

        A picture is a file, a row of a manifest or a record. Once `accepted` is exhausted,
        seen is the sum of accepted, rejected and ignored.
        """
        accepted, rejected = sum(self._accepted.values()), len(self._rejects)
        listing, ignored = self.listing, len(self.listing.ignored)
        return {
            "seen": len(listing.entries) + len(listing.strays) + ignored,
            "accepted": accepted,
            "rejected": rejected,
            "ignored": ignored,
            "classes": len(self._accepted),
        }

    def summary(self) -> str:
        """The counts in one line."""
        counts = self.counts()
        return (
            f"{counts['seen']} files: {counts['accepted']} accepted, {counts['rejected']} "
            f"rejected, {counts['ignored']} ignored; {counts['classes']} classes"
        )

    def refuse_too_many_rejects(self, max_rejects: float, list_file: str = "rejects.csv") -> None:
        """Raise a UserError if more than a share of the files, or all of a class, was rejected.

        Pictures in folders without a label do not count. list_file: what names all, for messages.
        """
        rejects = [one for one in self._rejects if one["reason"] != NO_LABEL]
        files = sum(self._accepted.values()) + len(rejects)
        share = len(rejects) / max(1, files)
        if share > max_rejects:
            raise BadData(
                f"{len(rejects)} of {files} files ({share:.1%}) are rejected, data.max_rejects "
                f"allows {max_rejects:.1%}: {_reasons(rejects)}. The list is in {list_file}: fix "
                f"the files or raise data.max_rejects.{self._box_remedy()}"
            )
        empty = [name for name, count in self._accepted.items() if count == 0]
        if empty:
            listed = "; ".join(
                f"all pictures of {name} are rejected: {_reasons(self._class_rejects[name])}"
                for name in empty[:LISTED_CLASSES]
            )
            more = len(empty) - LISTED_CLASSES
            raise BadData(
                f"{listed}{f'; and of {more} more classes' if more > 0 else ''}. "
                f"Fix the files or remove the class.{self._box_remedy()}"
            )

    def _box_remedy(self) -> str:
        """What to do about boxes that were rejected, '' where none was."""
        if {BOX_OUTSIDE, BOX_OF_OTHER_SIZE}.isdisjoint(row["reason"] for row in self._rejects):
            return ""
        return (
            " If boxes count in pictures of another size, data.boxes: stretch scales those whose "
            "manifest names the size, ignore uses whole pictures."
        )


def _reasons(rejects: list[dict[str, str]]) -> str:
    """Reasons with their counts and the first file name of each, the most frequent first."""
    table = pd.DataFrame(rejects).sort_values("filename")
    reasons = table.groupby("reason")["filename"].agg(["count", "first"])
    return ", ".join(
        f"{reason} {row['count']} (such as {row['first']})"
        for reason, row in reasons.sort_values("count", ascending=False, kind="stable").iterrows()
    )


def _killed_error(waiting: list[list[Entry]]) -> UserError:
    first, last = waiting[0][0], waiting[-1][-1]
    return UserError(
        f"a process that checks pictures was killed between {first.path} and {last.path}, for "
        "lack of memory or by a picture that crashes its decoder. Set runtime.workers in "
        "params.yaml lower; if it happens again, remove the picture."
    )
