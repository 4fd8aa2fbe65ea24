"""Check the pictures of a source one by one, and account for every file."""

import sys
from collections.abc import Iterator

import pandas as pd
import rich.progress

from trackbed.ingest import images
from trackbed.ingest.sources import Entry, Listing
from trackbed.problems import Problem


class Check:
    """Goes through a listing once and keeps what did not get in, with its reason."""

    def __init__(self, listing: Listing, max_pixels: int, crop_margin: float) -> None:
        self.listing, self.max_pixels, self.crop_margin = listing, max_pixels, crop_margin
        self._rejects = [
            {"filename": name, "reason": reason, "detail": ""} for name, reason in listing.strays
        ]
        self._accepted = dict.fromkeys(listing.classes, 0)

    def accepted(self) -> Iterator[tuple[Entry, images.Picture]]:
        """The pictures that can be used, in the order of the listing."""
        entries = rich.progress.track(
            self.listing.entries, "checking", disable=not sys.stdout.isatty(), transient=True
        )
        for entry in entries:
            try:
                picture = images.load(entry, self.max_pixels, self.crop_margin)
            except images.Rejected as no:
                self._rejects.append(
                    {"filename": entry.filename, "reason": no.reason, "detail": no.detail}
                )
                continue
            self._accepted[entry.class_name] += 1
            yield entry, picture

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
        """Raise a Problem if more than a share of the files, or all of a class, was rejected."""
        counts = self.counts()
        share = counts["rejected"] / max(1, counts["accepted"] + counts["rejected"])
        if share > most:
            raise Problem(
                f"{counts['rejected']} of {counts['accepted'] + counts['rejected']} files "
                f"({share:.1%}) are rejected, data.max_rejects allows {most:.1%}: "
                f"{self._reasons()}. The list is in .cache/rejects.csv: mend the files or raise "
                "data.max_rejects."
            )
        empty = [name for name, count in self._accepted.items() if count == 0]
        if empty:
            raise Problem(
                f"all pictures of {', '.join(empty)} are rejected: {self._reasons()}. "
                "Mend the files or remove the class."
            )

    def _reasons(self) -> str:
        reasons = self.rejects().groupby("reason")["filename"].agg(["count", "first"])
        return ", ".join(
            f"{reason} {row['count']} (such as {row['first']})"
            for reason, row in reasons.sort_values("count", ascending=False).iterrows()
        )
