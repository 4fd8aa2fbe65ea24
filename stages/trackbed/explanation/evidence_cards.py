"""Cards of a picture beside the places that speak for its classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from trackbed.explanation.explained import Evidence, Explained, shrunk
from trackbed.inference import class_activation
from trackbed.pipeline.outputs import data_uri, jpeg

QUALITY = 82  # of JPEG, 0 to 95


@dataclass(frozen=True)
class MapImage:
    """An overlay as a data URI, and the class that it is for."""

    class_name: str
    picture: str


@dataclass(frozen=True)
class EvidenceCard:
    """A predicted picture and its overlays, as data URIs; see explanation.explained."""

    filename: str
    true: str | None
    predicted: str
    confidence: float
    picture: str
    maps: Sequence[MapImage]

    @property
    def right(self) -> bool:
        """Whether the true class is known and predicted."""
        return self.true == self.predicted


def cards(entries: Sequence[Explained], side: int) -> list[EvidenceCard]:
    """The cards of explained pictures, each image at most `side` pixels wide and high."""
    return [
        EvidenceCard(
            entry.filename,
            entry.true,
            entry.predicted,
            entry.confidence,
            _uri(small := shrunk(entry.picture, side)),
            [MapImage(one.class_name, _uri(over(small, one, entry))) for one in entry.evidence],
        )
        for entry in entries
    ]


def over(picture: np.ndarray, evidence: Evidence, entry: Explained) -> np.ndarray:
    """The overlay of a map; the brightest colour is the highest value of all maps of the entry."""
    return class_activation.overlay(picture, evidence.values, entry.highest)


def _uri(picture: np.ndarray) -> str:
    return data_uri(jpeg(Image.fromarray(picture), QUALITY))
