"""The tables that predictions are written to: answers, and rejected pictures."""

from __future__ import annotations

import csv
import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from trackbed.inference.prediction import Prediction
from trackbed.pictures.crop_boxes import Box
from trackbed.pipeline.errors import BadData, UserError
from trackbed.pipeline.outputs import is_formula, replacing

CSV, JSONL = "csv", "jsonl"
REJECT_COLUMNS = ("file", "reason", "detail")
PROBABILITY_PREFIX = "p_"  # of a class's column, as in predictions.csv
NUMBER = ".9g"  # gives every float32 back exactly, as in predictions.csv


def format_of(path: Path | None) -> str:
    """The format that the name of a file says; CSV without one."""
    is_json = path is not None and path.suffix.lower() in (".jsonl", ".ndjson", ".json")
    return JSONL if is_json else CSV


@dataclass(frozen=True)
class AnswerTable:
    """Answers as CSV with a header, or as one JSON object a line.

    boxes, novelty: whether there are such columns.
    """

    file: IO[str]
    format: str  # CSV or JSONL
    classes: Sequence[str]
    boxes: bool
    novelty: bool

    def write_header(self) -> None:
        """Write the names of the columns of a CSV file."""
        if self.format == CSV:
            box, novelty = ["box"] * self.boxes, ["novelty"] * self.novelty
            probabilities = [PROBABILITY_PREFIX + name for name in self.classes]
            self._rows().writerow(
                ["file", *box, "class", "confidence", "refused", *novelty, *probabilities]
            )

    def refuse_formulas(self, names: Iterable[str]) -> None:
        """Raise BadData where a name or a class would be a formula in CSV; JSON has none."""
        if self.format == CSV:
            refuse_formulas(self.classes, "class", "Use --format jsonl.")
            refuse_formulas(names, "name", REMEDY)

    def write(self, one: Prediction) -> None:
        """Write the answer for a picture. Raises BadData as `refuse_formulas` does."""
        if self.format == CSV:
            refuse_formulas([one.name], "name", REMEDY)
            self._rows().writerow(self._cells(one))
        else:
            self.file.write(json.dumps(self._object(one), ensure_ascii=False) + "\n")

    def _rows(self) -> Any:
        return csv.writer(self.file, lineterminator="\n")

    def _cells(self, one: Prediction) -> list[str]:
        answer = one.answer
        refused = "" if answer.refused is None else str(answer.refused).lower()
        return [
            one.name,
            *[box_cell(one.box)] * self.boxes,
            answer.class_name,
            format(answer.confidence, NUMBER),
            refused,
            *["" if one.novelty is None else format(one.novelty, NUMBER)] * self.novelty,
            *(format(value, NUMBER) for value in answer.probabilities),
        ]

    def _object(self, one: Prediction) -> dict[str, Any]:
        answer = one.answer
        numbers = map(rounded, answer.probabilities)
        return {
            "file": one.name,
            **({"box": one.box and list(one.box)} if self.boxes else {}),
            "class": answer.class_name,
            "confidence": rounded(answer.confidence),
            "refused": answer.refused,
            **({"novelty": one.novelty and rounded(one.novelty)} if self.novelty else {}),
            "probabilities": dict(zip(self.classes, numbers, strict=True)),
        }


REMEDY = "Rename it, or use --format jsonl."


def rounded(number: float) -> float:
    """A number with the digits that tables have."""
    return float(format(number, NUMBER))


def box_cell(box: Box | None) -> str:
    """Left, top, right and bottom with blanks between them; '' without a box."""
    return " ".join(map(str, box or ()))


@dataclass(frozen=True)
class RejectTable:
    """Rejected pictures with file, reason and detail, as CSV or as JSON lines."""

    file: IO[str]
    format: str = CSV

    def write_header(self) -> None:
        """Write the names of the columns of a CSV file."""
        if self.format == CSV:
            csv.writer(self.file, lineterminator="\n").writerow(REJECT_COLUMNS)

    def write(self, one: Prediction) -> None:
        """Write a rejected picture. Raises BadData for a name that is a formula in CSV."""
        if self.format == JSONL:
            cells = dict(zip(REJECT_COLUMNS, (one.name, one.reason, one.detail), strict=True))
            self.file.write(json.dumps(cells, ensure_ascii=False) + "\n")
            return
        refuse_formulas([one.name], "name", "Rename it, or name a .jsonl file for --rejects.")
        detail = "" if is_formula(one.detail) else one.detail
        csv.writer(self.file, lineterminator="\n").writerow((one.name, one.reason, detail))


def refuse_formulas(texts: Iterable[str], what: str, remedy: str) -> None:
    """Raise BadData for text that a spreadsheet which opens a table would run as a formula."""
    formulas = [text for text in texts if is_formula(text)]
    if formulas:
        more = f" and {len(formulas) - 1:,} more" if len(formulas) > 1 else ""
        raise BadData(
            f"a spreadsheet that opens the table would run the {what} {formulas[0]!r}{more} as a "
            f"formula. {remedy}"
        )


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """A text file that takes its place when it is whole; a device is written to directly.

    Raises UserError where it cannot be written.
    """
    place = Path(os.path.realpath(path))
    with ExitStack() as stack:
        try:
            target = place if is_device(place) else stack.enter_context(replacing(place))
            file = stack.enter_context(target.open("w", encoding="utf-8", newline=""))
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror}).") from None
        yield file


def is_device(path: Path) -> bool:
    """Whether something like /dev/stdout lies at a path, which nothing may replace."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
