"""Check the pictures of a source in chunks, and account for every file."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import rich.progress

from trackbed.dataset import images, pool
from trackbed.dataset.schema import Entry, Limits, Listing, Picture, Rejected
from trackbed.pipeline.errors import BadData, UserError

# Some 10 ms of work: enough to make up for the way to another process and back.
PICTURES = 32
FILE_BYTES = 2**19
# Small files may hold large pictures.
RESULT_BYTES = 2**23


def portions(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in their order, so many at a time that checking them is a moderate work."""
    portion: list[Entry] = []
    file_bytes = 0
    for entry in entries:
        portion.append(entry)
        file_bytes += _file_bytes(entry)
        if len(portion) == PICTURES or file_bytes >= FILE_BYTES:
            yield portion
            portion, file_bytes = [], 0
    if portion:
        yield portion


@dataclass(frozen=True)
class Checking:
    """How to check a portion; to be called in any process."""

    limits: Limits
    crop_margin: float

    def __call__(self, portion: list[Entry]) -> list[Picture | Rejected]:
        """What became of the entries, or of the first of them if that is much to keep."""
        outcomes: list[Picture | Rejected] = []
        result_bytes = 0
        for entry in portion:
            try:
                picture = images.load(entry, self.limits, self.crop_margin)
            except Rejected as no:
                outcomes.append(no)
                continue
            outcomes.append(picture)
            result_bytes += len(picture.data)
            if result_bytes >= RESULT_BYTES:
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
# Starting a process takes as long as checking some 40 portions, of 32 JPEGs of 150 x 150 each.
PORTIONS_PER_WORKER = 40


class Check:
    """Goes through a listing once and keeps what did not get in, with its reason."""

    def __init__(
        self, listing: Listing, limits: Limits, crop_margin: float, workers: int = 1
    ) -> None:
        self.listing, self.workers = listing, workers
        self._checking = Checking(limits, crop_margin)
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
        """What became of every entry, in the order of the listing."""
        waiting = list(portions(self.listing.entries))
        workers = max(1, min(self.workers, len(waiting) // PORTIONS_PER_WORKER))
        with closing(pool.results(self._checking, waiting, workers)) as results:
            for number, portion in enumerate(waiting):
                try:
                    outcomes = next(results)
                except pool.Killed:
                    raise _killed(waiting[number : number + workers * pool.AHEAD]) from None
                while portion:
                    yield from zip(portion, outcomes, strict=False)
                    portion = portion[len(outcomes) :]
                    outcomes = self._checking(portion)

    def reject(self, table: pd.DataFrame, left_out: pd.DataFrame) -> None:
        """Count records that were accepted as rejected.

        table: the index. left_out: columns record, filename, reason and detail.
        """
        for name in table.loc[table["record"].isin(left_out["record"]), "class_name"]:
            self._accepted[name] -= 1
        self._rejects += left_out[["filename", "reason", "detail"]].to_dict("records")

    def rejects(self) -> pd.DataFrame:
        """One row per file that did not get in, sorted by name."""
        columns = ["filename", "reason", "detail"]
        return pd.DataFrame(self._rejects, columns=columns).sort_values(columns)

    def counts(self) -> dict[str, int]:
        """How many pictures and other files there were, and what became of them.

        A picture is a file, a row of a manifest or a record. Once `accepted` has been gone
        through, seen is the sum of accepted, rejected and ignored.
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

    def told(self) -> str:
        """The counts in words."""
        counts = self.counts()
        return (
            f"{counts['seen']} files: {counts['accepted']} accepted, {counts['rejected']} "
            f"rejected, {counts['ignored']} ignored; {counts['classes']} classes"
        )

    def refuse_too_many(self, most: float) -> None:
        """Raise a UserError if more than a share of the files, or all of a class, was rejected."""
        counts = self.counts()
        share = counts["rejected"] / max(1, counts["accepted"] + counts["rejected"])
        if share > most:
            raise BadData(
                f"{counts['rejected']} of {counts['accepted'] + counts['rejected']} files "
                f"({share:.1%}) are rejected, data.max_rejects allows {most:.1%}: "
                f"{self._reasons()}. The list is in .cache/rejects.csv: mend the files or raise "
                "data.max_rejects."
            )
        empty = [name for name, count in self._accepted.items() if count == 0]
        if empty:
            raise BadData(
                f"all pictures of {', '.join(empty)} are rejected: {self._reasons()}. "
                "Mend the files or remove the class."
            )

    def _reasons(self) -> str:
        reasons = self.rejects().groupby("reason")["filename"].agg(["count", "first"])
        return ", ".join(
            f"{reason} {row['count']} (such as {row['first']})"
            for reason, row in reasons.sort_values("count", ascending=False).iterrows()
        )


def _killed(waiting: list[list[Entry]]) -> UserError:
    first, last = waiting[0][0], waiting[-1][-1]
    return UserError(
        f"a process that checks pictures was killed between {first.path} and {last.path}, for "
        "lack of memory or by a picture that crashes its decoder. Set runtime.workers in "
        "params.yaml lower; if it happens again, take such a picture out."
    )
