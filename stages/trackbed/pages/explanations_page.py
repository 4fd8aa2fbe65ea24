"""Why the model answers as it does: pictures with the places that speak for their classes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from trackbed.explanation import evidence_cards
from trackbed.explanation.explained import Explained
from trackbed.pipeline.outputs import replacing, replacing_folder
from trackbed.reporting import formatting, html

SIDE, MOST_LARGE, SMALL_SIDE = 240, 100, 160  # pixels; of more pictures the page grows too big


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


def of_test_part(
    network: str, wrong: Sequence[Explained], right: Sequence[Explained], mistakes: int
) -> Explanations:
    """The page of a test part; mistakes: how many the model makes."""
    listed = formatting.plural(len(wrong), "mistake")
    surest = f"The {listed} with the highest confidence, of {mistakes:,}." if wrong else "None."
    if wrong and len(wrong) == mistakes:
        surest = f"All {mistakes:,}."
    contrast = "For contrast: right answers of each class, from the surest to the least sure."
    return Explanations(
        network,
        [
            Section("mistakes", "Mistakes, the surest first", surest, wrong),
            Section("right", "Right answers, by class", contrast if right else "None.", right),
        ],
    )


def of_pictures(
    network: str, entries: Sequence[Explained], left_out: Sequence[tuple[str, str]]
) -> Explanations:
    """The page of pictures without known classes."""
    text = "In the order in which they were named."
    return Explanations(network, [Section("pictures", "Pictures", text, entries)], left_out)


def write(path: Path, found: Explanations) -> None:
    """Write the page."""
    side = SIDE if len(found.entries) <= MOST_LARGE else SMALL_SIDE
    sections = [(one, evidence_cards.cards(one.entries, side)) for one in found.sections]
    content: dict[str, Any] = {"found": found, "sections": sections} | html.script()
    html.write_page(path, html.environment(autoescape=True), "explanations.html.j2", content)


def write_json(path: Path, entries: Sequence[Explained]) -> None:
    """Write a line of JSON per picture: file, classes, confidence, and the maps row by row."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
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
