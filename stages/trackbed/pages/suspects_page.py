"""Suspicious labels: a list for a terminal, a table as CSV, and an HTML page with pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trackbed.evaluation import mistakes
from trackbed.pipeline.outputs import write_csv
from trackbed.reporting import formatting, html

STEM = "suspects"
LISTED, LISTED_PAIRS = 10, 10  # in the terminal
# Labels are checked by eye, so the pictures are large unless there are many: 20 KB each.
MOST_LARGE = 200
NEXT = (
    "Nothing was removed or changed. Look at the pictures: where a label is wrong, move the file "
    "to its class or correct its row in the manifest; where no class fits, remove it from the "
    "source. Then run dvc add and dvc repro, commit, and cross-validate again."
)


@dataclass(frozen=True)
class Found:
    """The first suspects (see suspects.ranked) and where they come from.

    ranked: images that the method ranks, of which rows are the first. scored: images with an
    out-of-fold probability, of so many training images. runs: names of the training runs
    whose models were used.
    """

    rows: pd.DataFrame
    method: str
    ranked: int
    scored: int
    training: int
    folds: list[int]
    of_folds: int
    runs: list[str]


@dataclass(frozen=True)
class Suspect:
    """A card of the page; `picture` is a data URI."""

    picture: str
    rank: int
    filename: str
    given: str
    suggested: str
    self_confidence: float
    confidence: float
    fold: int


def basis(found: Found) -> str:
    """Which images have an out-of-fold probability, and from what models."""
    text = (
        f"{formatting.plural(found.scored, 'training image')}, each scored by a model that was not "
        f"trained on it ({formatting.plural(len(found.folds), 'fold')}, "
        f"{formatting.plural(len(found.runs), 'run')})."
    )
    if found.scored < found.training:
        text += (
            f" {found.training - found.scored:,} have no score: of {found.of_folds} folds only "
            f"{', '.join(map(str, found.folds))} were used for validation."
        )
    return text


def verdict(found: Found) -> str:
    """How many of the listed labels are less probable than another class."""
    listed, doubted = len(found.rows), len(mistakes.doubted(found.rows))
    if found.method == "cleanlab":
        labels = formatting.plural(found.ranked, "label")
        text = f"cleanlab estimates {labels} to be wrong; the first {listed:,} are listed."
    else:
        text = f"The {formatting.plural(listed, 'label')} with the lowest probability."
    return f"{text} For {doubted:,} of them another class is more probable."


def text(found: Found) -> str:
    """The first suspects, how many go from which class to which, and what to do."""
    lines = [basis(found), verdict(found)]
    if len(found.rows):
        first = found.rows.head(LISTED)
        columns = ["rank", "given", "self_confidence", "suggested", "confidence", "filename"]
        names = first.assign(
            **{key: first[key].map(formatting.name) for key in ("given", "suggested", "filename")}
        )
        lines += ["", names[columns].to_string(index=False, float_format="{:.4f}".format)]
    if len(pairs := mistakes.pairs(found.rows)):
        lines += ["", f"Among the first {len(found.rows):,}, given and suggested class:"]
        lines += [
            f"{row.images:6,}  {formatting.name(row.given)} -> {formatting.name(row.suggested)}"
            for row in pairs.head(LISTED_PAIRS).itertuples()
        ]
        rest = pairs["images"].iloc[LISTED_PAIRS:]
        lines += [f"{rest.sum():6,}  of {len(rest):,} other pairs"] if len(rest) else []
    return "\n".join([*lines, "", NEXT])


def write(folder: Path, found: Found, records_path: Path, index: pd.DataFrame) -> list[Path]:
    """Write suspects.csv and suspects.html; the paths. Raises UserError."""
    paths = [folder / f"{STEM}.{ending}" for ending in ("csv", "html")]
    write_csv(paths[0], found.rows, float_format="%.9g")
    content: dict[str, Any] = {
        "found": found,
        "basis": basis(found),
        "verdict": verdict(found),
        "pairs": mistakes.pairs(found.rows),
        "cards": _cards(found.rows, records_path, index),
        "next": NEXT,
    }
    content |= html.script()
    html.write_page(paths[1], html.environment(autoescape=True), "suspects.html.j2", content)
    return paths


def _cards(rows: pd.DataFrame, records_path: Path, index: pd.DataFrame) -> list[Suspect]:
    side = html.LARGE_SIDE if len(rows) <= MOST_LARGE else html.SIDE
    cards = html.cards(
        records_path, index, rows.assign(true=rows["given"], predicted=rows["suggested"]), side
    )
    return [
        Suspect(
            card.picture,
            row.rank,
            card.filename,
            card.true,
            card.predicted,
            row.self_confidence,
            card.confidence,
            row.fold,
        )
        for card, row in zip(cards, rows.itertuples(), strict=True)
    ]
