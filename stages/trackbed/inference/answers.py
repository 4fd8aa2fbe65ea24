"""What a model answers: a class, how sure it is, and whether that is sure enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trackbed.inference.temperature import with_temperature
from trackbed.pictures.file_names import has_bad_name, printable
from trackbed.pictures.rejections import Limits
from trackbed.pipeline.errors import Damaged


@dataclass(frozen=True)
class Answer:
    """The answer for one picture."""

    class_name: str
    confidence: float  # probability of the class, 0 to 1
    refused: bool | None  # whether it is not sure enough; None without a threshold
    probabilities: Sequence[float]  # of all classes, in their order


@dataclass(frozen=True)
class AnswerRules:
    """How probabilities become answers.

    temperature: of the probabilities that are shown, None for the model's own. threshold: of the
    confidence below which an answer is refused, None for none; it counts in probabilities of
    threshold_temperature.
    """

    classes: Sequence[str]
    temperature: float | None
    threshold: float | None
    threshold_temperature: float | None

    def answers(self, probabilities: np.ndarray) -> list[Answer]:
        """Answers for probabilities: float32, shape (images, classes); first of equal ones wins.

        Raises ValueError where they are not finite.
        """
        if not np.isfinite(probabilities).all():
            raise ValueError("probabilities that are not finite")
        shown = tempered(probabilities, self.temperature)
        refused = self._refused(probabilities)
        places = shown.argmax(axis=1)
        return [
            Answer(self.classes[place], float(row[place]), no, row.tolist())
            for place, row, no in zip(places, shown, refused, strict=True)
        ]

    def _refused(self, probabilities: np.ndarray) -> list[bool | None]:
        if self.threshold is None:
            return [None] * len(probabilities)
        confidence = tempered(probabilities, self.threshold_temperature).max(axis=1)
        return (confidence < self.threshold).tolist()


def tempered(probabilities: np.ndarray, temperature: float | None) -> np.ndarray:
    """Probabilities with a temperature, or as they are where it is None."""
    return probabilities if temperature is None else with_temperature(probabilities, temperature)


def rules(
    description: Mapping[str, Any], calibrated: bool | None = None, threshold: float | None = None
) -> AnswerRules:
    """The rules of an exported model, by its description (model.json).

    calibrated: whether the probabilities have the temperature; None for what the model was scored
    with. threshold: of the confidence that is shown; None for that of the model, which counts in
    the probabilities that it was scored with.
    """
    scored = description["temperature"] if description["calibrated"] else None
    shown = scored
    if calibrated is not None:
        shown = description["temperature"] if calibrated else None
    own = threshold is None
    return AnswerRules(
        classes=list(description["classes"]),
        temperature=shown,
        threshold=description["refusal_threshold"] if own else threshold,
        threshold_temperature=scored if own else shown,
    )


def limits(description: Mapping[str, Any]) -> Limits:
    """What a picture must keep to get in, as in the build that the model learned from."""
    given = description["pictures"]
    return Limits(
        given["max_pixels"],
        given["min_side"],
        given["max_aspect"],
        given["white_level"],
        given["boxes"],
    )


def refuse_unusable_classes(path: Path, classes: Sequence[str]) -> None:
    """Raise Damaged for class names that are equal or unsafe to print; path: of model.json."""
    for name in classes:
        if not isinstance(name, str) or not name or has_bad_name(name):
            raise Damaged(
                f"{path}: the class name {printable(str(name))!r} is empty, or has control "
                "characters. The stages of trackbed write no such name; do not trust the file."
            )
    if len(set(classes)) < len(classes):
        raise Damaged(f"{path}: a class name is there twice.")
