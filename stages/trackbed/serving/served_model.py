"""An exported model as the server uses it: bytes of a picture in, an answer out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from trackbed.inference import answers, class_activation, novelty
from trackbed.inference.answer_files import rounded
from trackbed.inference.answers import Answer, AnswerRules
from trackbed.inference.class_activation import Explainer
from trackbed.inference.exported_model import (
    DESCRIPTION_FILE,
    EMBEDDING,
    PROBABILITIES,
    ExportedModel,
)
from trackbed.inference.novelty import Reference
from trackbed.pictures import network_input
from trackbed.pictures.rejections import Limits, Rejected
from trackbed.pipeline.errors import Damaged, UserError
from trackbed.serving.tensors import BYTES, FP32

CLASS = "class"  # the output with the name of the most probable class
VERSION_DIGITS = 12
BATCHES = (3, 8)  # sizes that a model is tried with; the last is work_queue.MOST_AT_ONCE
MAP_DIGITS = 3  # of the values of a map in JSON


@dataclass(frozen=True)
class ServedModel:
    """One loaded model; any number of threads may use it.

    version: the first digits of the SHA-256 of model.json, which holds the digests of all other
    files. explainer, reference: None where the model has none.
    """

    model: ExportedModel
    version: str
    limits: Limits
    rules: AnswerRules
    explainer: Explainer | None
    reference: Reference | None  # what pictures are compared with
    units: int  # of the embedding
    takes_batches: bool  # whether an image has the same outputs alone and among others

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of the probabilities."""
        return self.model.classes

    @property
    def side(self) -> int:
        """Of the images that the network takes, in pixels."""
        return self.model.side

    @property
    def facts(self) -> dict[str, str]:
        """What the model is, for /metrics and the metadata."""
        return {
            "network": str(self.model.description.get("network", "")),
            "classes": ", ".join(self.classes),
            "image_side": str(self.side),
        }

    @property
    def summary(self) -> str:
        """The same in a line."""
        network = self.facts["network"]
        return f"{network}, {len(self.classes)} classes, {self.side} x {self.side} pixels"

    @property
    def outputs_offered(self) -> list[tuple[str, str, list[int]]]:
        """Name, datatype and shape of the outputs for the Open Inference Protocol."""
        return [
            (PROBABILITIES, FP32, [-1, len(self.classes)]),
            (CLASS, BYTES, [-1]),
            (EMBEDDING, FP32, [-1, self.units]),
        ]

    def answer(self, data: bytes, with_map: bool = False) -> dict[str, Any]:
        """The answer for the bytes of a picture; as `answers`."""
        return self.answers([data], with_map)[0]

    def answers(self, pictures: Sequence[bytes], with_maps: bool = False) -> list[dict[str, Any]]:
        """The answers for the bytes of pictures, as in the JSON lines of `trackbed predict`.

        Each with `activation`, a map of what speaks for the class, if wanted; {"rejected": ...}
        where the picture cannot be used.
        """
        found = [self._pixels(data) for data in pictures]
        images = [one for one in found if isinstance(one, np.ndarray)]
        objects = iter(self._objects(np.stack(images), with_maps) if images else ())
        return [next(objects) if isinstance(one, np.ndarray) else _rejected(one) for one in found]

    def _pixels(self, data: bytes) -> np.ndarray | Rejected:
        """What the network sees of a picture, or why it cannot be used."""
        try:
            return network_input.of_bytes(data, self.limits, self.side)
        except Rejected as rejection:
            return rejection

    def _objects(self, images: np.ndarray, with_maps: bool) -> list[dict[str, Any]]:
        probabilities, embeddings = self._outputs(images, PROBABILITIES, EMBEDDING)
        found = self.rules.answers(probabilities)
        rows = [slice(row, row + 1) for row in range(len(images))]
        objects = [self._object(one, embeddings[row]) for one, row in zip(found, rows, strict=True)]
        if with_maps:
            labels = probabilities.argmax(axis=1)
            for one, row in zip(objects, rows, strict=True):
                one["activation"] = self._activation(images[row], labels[row])
        return objects

    def _outputs(self, images: np.ndarray, *names: str) -> list[np.ndarray]:
        """Outputs of the network for images: at once where that changes no bit of them."""
        if self.takes_batches:
            return self.model.outputs(images, *names)
        parts = [self.model.outputs(image[np.newaxis], *names) for image in images]
        return [np.concatenate(some) for some in zip(*parts, strict=True)]

    def _object(self, found: Answer, embedding: np.ndarray) -> dict[str, Any]:
        shares = map(rounded, found.probabilities)
        reference = self.reference
        return {
            "class": found.class_name,
            "confidence": rounded(found.confidence),
            "refused": found.refused,
            "novelty": reference and rounded(reference.novelty(embedding)[0]),
            "probabilities": dict(zip(self.classes, shares, strict=True)),
        }

    def _activation(self, images: np.ndarray, labels: np.ndarray) -> list[list[float]] | None:
        """The map of one image as rows, 0 to 1; None where the model has none."""
        if self.explainer is None:
            return None
        values = np.maximum(self.explainer.explained(images, labels)[1][0], 0).astype(np.float64)
        highest = values.max()
        return np.round(values / highest if highest > 0 else values, MAP_DIGITS).tolist()

    def image_outputs(self, images: np.ndarray, names: list[str]) -> list[np.ndarray]:
        """Outputs of the network for images: uint8, shape (images, side, side, 3)."""
        return self._outputs(images, *names)

    def picture_outputs(self, data: bytes, names: list[str]) -> list[np.ndarray] | Rejected:
        """Outputs of the network for the bytes of a picture, or why it cannot be used."""
        image = self._pixels(data)
        return image if isinstance(image, Rejected) else self.image_outputs(image[None], names)


def load(folder: Path, max_pixels: int | None = None) -> ServedModel:
    """The model of a folder, which has answered once.

    max_pixels: of a picture, where that is less than what the model allows. Raises UserError, and
    nothing else.
    """
    path = folder / DESCRIPTION_FILE
    model = ExportedModel.load(folder, threads=1)  # the pictures are shared among the threads
    try:
        answers.refuse_unusable_classes(path, model.classes)
        limits = answers.limits(model.description)
        if max_pixels is not None:
            limits = replace(limits, pixels=min(limits.pixels, max_pixels))
        rules = answers.rules(model.description)
        blank = np.zeros((1, model.side, model.side, 3), np.uint8)
        probabilities, embedding = model.outputs(blank, PROBABILITIES, EMBEDDING)
        rules.answers(probabilities)
        if probabilities.shape != (1, len(model.classes)):
            raise ValueError(
                f"{probabilities.shape[1]} probabilities, {len(model.classes)} classes"
            )
        return ServedModel(
            model=model,
            version=hashlib.sha256(path.read_bytes()).hexdigest()[:VERSION_DIGITS],
            limits=limits,
            rules=rules,
            explainer=class_activation.read(model),
            reference=novelty.read(model),
            units=embedding.shape[1],
            takes_batches=_takes_batches(model),
        )
    except UserError:
        raise
    except Exception as error:  # ONNX Runtime has no common class for its errors
        raise Damaged(f"{folder}: the model does not answer ({_line(error)}).") from None


def _takes_batches(model: ExportedModel) -> bool:
    """Whether the outputs of noise are the same to the bit in batches of several sizes."""
    shape = (BATCHES[-1], model.side, model.side, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)

    def outputs(batch: int) -> list[np.ndarray]:
        starts = range(0, len(images), batch)
        parts = [model.outputs(images[n : n + batch], PROBABILITIES, EMBEDDING) for n in starts]
        return [np.concatenate(some) for some in zip(*parts, strict=True)]

    alone = outputs(1)
    return all(
        np.array_equal(one, other)
        for batch in BATCHES
        for one, other in zip(alone, outputs(batch), strict=True)
    )


def _rejected(rejection: Rejected) -> dict[str, Any]:
    return {"rejected": {"reason": rejection.reason, "detail": rejection.detail}}


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]
