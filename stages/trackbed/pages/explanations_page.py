"""Why the model answers as it does: pictures with the places that speak for their classes."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pandas as pd

from trackbed.evaluation import mistakes
from trackbed.explanation import evidence_cards
from trackbed.explanation.explained import Explained
from trackbed.pipeline import tables
from trackbed.pipeline.outputs import replacing, replacing_folder
from trackbed.reporting import formatting, html
from trackbed.reporting.formatting import plural

SIDE, MOST_LARGE, SMALL_SIDE = 240, 100, 160  # pixels; of more pictures the page grows too big
NAMED_CLASSES = 5  # of those without a right answer


@dataclass(frozen=True)
class Section:
    """A part of the page with its pictures; anchor: its id."""

    anchor: str
    title: str
    text: str
    entries: Sequence[Explained]


@dataclass(frozen=True)
class Explanations:
    """The content of the page; `left_out`: files that could not be read, with the reasons."""

    network: str
    sections: Sequence[Section]
    left_out: Sequence[tuple[str, str]] = ()

    @property
    def entries(self) -> list[Explained]:
        """The pictures of all sections."""
        return [entry for section in self.sections for entry in section.entries]

    @property
    def comparison(self) -> str:
        """How the maps of one picture compare; empty where each picture has one map."""
        if any(entry.true not in (None, entry.predicted) for entry in self.entries):
            maps = "A mistake has a map for the predicted and one for the true class"
        elif any(len(entry.evidence) > 1 for entry in self.entries):
            maps = "A picture has a map for each class"
        else:
            return ""
        return f"{maps}, in the same colours: compare their brightness."

    @property
    def grid(self) -> str:
        """Cells of a map, as in '5 x 5'; empty without a picture."""
        return next(
            (" x ".join(map(str, one.evidence[0].values.shape)) for one in self.entries), ""
        )


def of_test_part(
    network: str,
    wrong: Sequence[Explained],
    right: Sequence[Explained],
    predictions: pd.DataFrame,
) -> Explanations:
    """The page of a test part: some mistakes and right answers of its predictions."""
    return Explanations(
        network,
        [
            Section(
                "mistakes", "Mistakes, the surest first", _of_mistakes(wrong, predictions), wrong
            ),
            Section("right", "Right answers, by class", _of_right(right, predictions), right),
        ],
    )


def _of_mistakes(shown: Sequence[Explained], predictions: pd.DataFrame) -> str:
    count, images = len(mistakes.wrong(predictions)), plural(len(predictions), "test image")
    if not count:
        return f"None on {images}."
    if not shown:
        return f"{plural(count, 'mistake')} on {images}, not shown here."
    if len(shown) == count:
        return f"The only mistake on {images}." if count == 1 else f"All {count:,} on {images}."
    if len(shown) == 1:
        return f"The one with the highest confidence, of {count:,} mistakes on {images}."
    return f"The {len(shown):,} with the highest confidence, of {count:,} mistakes on {images}."


def _of_right(shown: Sequence[Explained], predictions: pd.DataFrame) -> str:
    right = predictions["true"][predictions["true"] == predictions["predicted"]]
    if right.empty:
        return f"None on {plural(len(predictions), 'test image')}."
    if not shown:
        return f"{plural(len(right), 'right answer')}, not shown here."
    text = "For contrast: the surest right answer of each class."
    if Counter(entry.predicted for entry in shown).most_common(1)[0][1] > 1:
        text = "For contrast: right answers of each class, from the surest to the least sure."
    without = [name for name in tables.predicted_classes(predictions) if name not in set(right)]
    if not without:
        return text
    listed = ", ".join(formatting.name(one) for one in without[:NAMED_CLASSES])
    return f"{text} No right answer: {listed}" + (
        f" and {len(without) - NAMED_CLASSES:,} more." if len(without) > NAMED_CLASSES else "."
    )


def of_pictures(
    network: str,
    entries: Sequence[Explained],
    left_out: Sequence[tuple[str, str]],
    further: int = 0,
) -> Explanations:
    """The page of pictures without known classes; further: how many more were named."""
    text = "In the order in which they were named." if entries else "None could be read."
    if further:
        text += f" {plural(further, 'more picture')} not looked at; --most N explains more."
    return Explanations(network, [Section("pictures", "Pictures", text, entries)], left_out)


def write(path: Path, found: Explanations) -> None:
    """Write the page."""
    side = SIDE if len(found.entries) <= MOST_LARGE else SMALL_SIDE
    sections = [(one, evidence_cards.cards(one.entries, side)) for one in found.sections]
    content: dict[str, Any] = {"found": found, "sections": sections} | html.script()
    html.write_page(path, html.environment(autoescape=True), "explanations.html.j2", content)


def write_json(path: Path, entries: Sequence[Explained]) -> None:
    """Write a line of JSON per picture: file, classes, confidence, and the maps row by row."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for entry in entries:
            file.write(json.dumps(_line(entry), ensure_ascii=False, allow_nan=False) + "\n")


def write_overlays(folder: Path, entries: Sequence[Explained]) -> None:
    """Write a PNG file per map into a folder that is made anew: NUMBER_FILE_CLASS.png."""
    with replacing_folder(folder) as temporary:
        for number, entry in enumerate(entries, start=1):
            for one in entry.evidence:
                name = f"{number:04d}_{_plain(Path(entry.filename).stem)}_{_plain(one.class_name)}"
                large = evidence_cards.over(entry.picture, one, entry)
                coded = cv2.imencode(".png", large[:, :, ::-1])[1]
                (temporary / f"{name}.png").write_bytes(coded.tobytes())


def _line(entry: Explained) -> dict[str, Any]:
    return {
        "file": entry.filename,
        "true": entry.true,
        "predicted": entry.predicted,
        "confidence": float(entry.confidence),
        "maps": {
            one.class_name: [[round(float(value), 4) for value in row] for row in one.values]
            for one in entry.evidence
        },
    }


def _plain(name: str) -> str:
    """A name as part of a file's name on any system."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name)[:40] or "_"
