"""Check the pictures of a source in chunks, and count what becomes of every file."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import rich.progress

from trackbed.dataset import images, pool
from trackbed.dataset.schema import NO_LABEL, Entry, Limits, Listing, Picture, Rejected
from trackbed.pipeline.errors import BadData, UserError

# About 10 ms of work: enough to outweigh the way to another process and back.
CHUNK_PICTURES = 32
CHUNK_FILE_BYTES = 2**19
# Small files may hold large pictures.
CHUNK_RESULT_BYTES = 2**23


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


@dataclass(frozen=True)
class ChunkCheck:
    """Checks a chunk of entries, in any process."""

    limits: Limits
    crop_margin: float

    def __call__(self, chunk: list[Entry]) -> list[Picture | Rejected]:
        """A picture or rejection per entry, or for the first ones alone if they fill memory."""
        outcomes: list[Picture | Rejected] = []
        result_bytes = 0
        for entry in chunk:
            try:
                picture = images.load(entry, self.limits, self.crop_margin)
            except Rejected as rejection:
                outcomes.append(rejection)
                continue
            outcomes.append(picture)
            result_bytes += len(picture.data)
            if result_bytes >= CHUNK_RESULT_BYTES:
                break
        return outcomes


def _file_bytes(entry: Entry) -> int:
    if entry.raw is not None:
        return entry.raw.length
    try:
        return entry.path.lstat().st_size
    except OSError:
        return 0  # to be rejected when it is read


CACHE = Path(".cache")
# Starting a process takes as long as checking some 40 chunks of 32 JPEGs of 150 x 150 each.
CHUNKS_PER_WORKER = 40


class SourceCheck:
    """Checks the pictures of a listing once, and keeps what was rejected, with the reason."""

    def __init__(
        self, listing: Listing, limits: Limits, crop_margin: float, workers: int = 1
    ) -> None:
        self.listing, self.workers = listing, workers
        self._check_chunk = ChunkCheck(limits, crop_margin)
        self._rejects = [
            {"filename": name, "reason": reason, "detail": ""} for name, reason in listing.strays
        ]
        self._accepted = dict.fromkeys(listing.classes, 0)

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
                    self._accepted[entry.class_name] += 1
                    yield entry, outcome
                else:
                    self._rejects.append(
                        {
                            "filename": entry.filename,
                            "reason": outcome.reason,
                            "detail": outcome.detail,
                        }
                    )

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
        for name in table.loc[table["record"].isin(rejects["record"]), "class_name"]:
            self._accepted[name] -= 1
        self._rejects += rejects[["filename", "reason", "detail"]].to_dict("records")

    def rejects(self) -> pd.DataFrame:
        """One row per file that did not get in, sorted by name."""
        columns = ["filename", "reason", "detail"]
        return pd.DataFrame(self._rejects, columns=columns).sort_values(columns)

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

    def refuse_too_many_rejects(self, max_rejects: float) -> None:
        """Raise a UserError if more than a share of the files, or all of a class, was rejected.

        Pictures in folders without a label do not count.
        """
        rejected = sum(one["reason"] != NO_LABEL for one in self._rejects)
        files = sum(self._accepted.values()) + rejected
        share = rejected / max(1, files)
        if share > max_rejects:
            raise BadData(
                f"{rejected} of {files} files "
                f"({share:.1%}) are rejected, data.max_rejects allows {max_rejects:.1%}: "
                f"{self._reasons()}. The list is in .cache/rejects.csv: fix the files or raise "
                "data.max_rejects."
            )
        empty = [name for name, count in self._accepted.items() if count == 0]
        if empty:
            raise BadData(
                f"all pictures of {', '.join(empty)} are rejected: {self._reasons()}. "
                "Fix the files or remove the class."
            )

    def _reasons(self) -> str:
        reasons = self.rejects().groupby("reason")["filename"].agg(["count", "first"])
        return ", ".join(
            f"{reason} {row['count']} (such as {row['first']})"
            for reason, row in reasons.sort_values("count", ascending=False).iterrows()
        )


def _killed_error(waiting: list[list[Entry]]) -> UserError:
    first, last = waiting[0][0], waiting[-1][-1]
    return UserError(
        f"a process that checks pictures was killed between {first.path} and {last.path}, for "
        "lack of memory or by a picture that crashes its decoder. Set runtime.workers in "
        "params.yaml lower; if it happens again, remove the picture."
    )
