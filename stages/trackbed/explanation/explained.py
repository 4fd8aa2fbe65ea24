"""Pictures with what speaks for their classes: of the test part, and of any files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from PIL import Image

from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError
from trackbed.records import reader

BATCH = 32  # maps at a time
LARGEST_SIDE = 640  # pixels of a picture that is kept to be shown
TIED = 0.05  # share of images whose two first classes may be as good as equally probable


class Explainer(Protocol):
    """Answers with maps of where they come from."""

    def explained(
        self, images: np.ndarray, labels: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """See inference.class_activation.Explainer.explained."""


@dataclass(frozen=True)
class Evidence:
    """Where a picture speaks for a class; values: a map, see inference.class_activation."""

    class_name: str
    values: np.ndarray


@dataclass(frozen=True)
class Explained:
    """A predicted picture with its maps: that of the predicted class, then others.

    picture: uint8, (height, width, 3), RGB, not stretched, of at most LARGEST_SIDE; true: None
    where it is not known.
    """

    filename: str
    picture: np.ndarray = field(repr=False)
    true: str | None
    predicted: str
    confidence: float
    evidence: Sequence[Evidence]

    @property
    def right(self) -> bool:
        """Whether the true class is known and predicted."""
        return self.true == self.predicted

    @property
    def highest(self) -> float:
        """The highest value of all maps, so that their colours compare."""
        return max(float(one.values.max()) for one in self.evidence)


def of_predictions(
    explainer: Explainer | None,
    predictions: pd.DataFrame,
    classes: Sequence[str],
    records_path: Path,
    index: pd.DataFrame,
    side: int,
    *,
    wanted: Sequence[str] = (),
    checked: bool = False,
) -> list[Explained]:
    """Some predictions for records, explained, in their order.

    By the predicted class, by the true one where that is another, and by the `wanted` classes;
    without an explainer they have no maps. predictions: columns as in pipeline.tables; side: of
    the model's input, in pixels. checked: whether to raise a UserError where the model does not
    predict what the table says.
    """
    rows = index.set_index("record", drop=False).loc[predictions["record"]]
    images = reader.pixels(records_path, rows.reset_index(drop=True), side, side)
    answers = list(
        predictions[["filename", "true", "predicted", "confidence"]].itertuples(index=False)
    )
    names = [list(dict.fromkeys([answer.predicted, answer.true, *wanted])) for answer in answers]
    evidence: list[list[Evidence]] = [[] for _ in answers]
    if explainer is not None:
        probabilities, evidence = evidence_of(explainer, images, names, classes)
        if checked:
            _refuse_other_answers(predictions, probabilities, classes)
    return [
        Explained(
            answer.filename,
            shrunk(reader.stored_image(records_path, rows.iloc[place]), LARGEST_SIDE),
            answer.true,
            answer.predicted,
            answer.confidence,
            evidence[place],
        )
        for place, answer in enumerate(answers)
    ]


def evidence_of(
    explainer: Explainer,
    images: np.ndarray,
    names: Sequence[Sequence[str]],
    classes: Sequence[str],
) -> tuple[np.ndarray, list[list[Evidence]]]:
    """Class probabilities, float32, (images, classes), and the maps of each image.

    images: uint8, (images, side, side, 3); names: of the classes that each is explained by.
    """
    labels = {name: label for label, name in enumerate(classes)}
    places = [place for place, of_image in enumerate(names) for _ in of_image]
    wanted = np.array([labels[name] for of_image in names for name in of_image], int)
    probabilities = np.zeros((len(images), len(classes)), np.float32)
    evidence: list[list[Evidence]] = [[] for _ in images]
    for start in range(0, len(places), BATCH):
        some = places[start : start + BATCH]
        shares, maps = explainer.explained(images[some], wanted[start : start + BATCH])
        probabilities[some] = shares
        for place, label, values in zip(some, wanted[start:], maps, strict=False):
            evidence[place].append(Evidence(classes[label], values))
    return probabilities, evidence


def shrunk(picture: np.ndarray, side: int) -> np.ndarray:
    """A picture of at most `side` pixels; never enlarged."""
    image = Image.fromarray(picture)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image)


def right_per_class(predictions: pd.DataFrame, most: int) -> pd.DataFrame:
    """Up to `most` right predictions of each class, in the order of the classes.

    Evenly spread from the surest to the least sure.
    """
    chosen = [predictions.iloc[:0]]
    for name in tables.predicted_classes(predictions):
        of_class = predictions[(predictions["true"] == name) & (predictions["predicted"] == name)]
        ordered = of_class.sort_values(["confidence", "record"], ascending=[False, True])
        count = min(most, len(ordered))
        chosen.append(ordered.iloc[np.linspace(0, len(ordered) - 1, count).round().astype(int)])
    return pd.concat(chosen)


def _refuse_other_answers(
    predictions: pd.DataFrame, probabilities: np.ndarray, classes: Sequence[str]
) -> None:
    found = np.array(classes, dtype=object)[probabilities.argmax(axis=1)]
    others = found != predictions["predicted"].to_numpy()
    if len(others) and others.mean() > TIED:
        first = predictions["filename"][others].iloc[0]
        raise UserError(
            f"predictions.csv: of another model than the exported one, which answers otherwise for "
            f"{others.sum()} of {len(others)} images, such as {first}. {tables.EVALUATION_REMEDY}"
        )
