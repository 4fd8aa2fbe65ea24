"""Predict pictures with an exported model, in order and within bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from trackbed.inference import decoding_threads
from trackbed.inference.answers import Answer, AnswerRules
from trackbed.inference.decoding_threads import Opened
from trackbed.inference.exported_model import EMBEDDING, PROBABILITIES, ExportedModel
from trackbed.inference.inputs import Input
from trackbed.inference.novelty import Reference
from trackbed.pictures.crop_boxes import Box
from trackbed.pipeline.errors import Damaged


@dataclass(frozen=True)
class Prediction:
    """The answer for a picture, or why there is none."""

    name: str
    box: Box | None
    answer: Answer | None = None
    embedding: np.ndarray | None = None  # float32, (units,)
    novelty: float | None = None  # share of held-out images that are nearer to training images
    reason: str = ""  # without an answer: as in rejections
    detail: str = ""


@dataclass(frozen=True)
class Predictor:
    """An exported model and how it is used; batch: images that a thread predicts at a time.

    reference: what pictures are compared with; without it their novelty is None.
    """

    model: ExportedModel
    rules: AnswerRules
    batch: int
    threads: int
    reference: Reference | None = None

    def predictions(self, sources: Iterable[Input]) -> Iterator[Prediction]:
        """The prediction for every input, in their order; names of records are unique.

        Every thread opens some pictures and predicts them. Raises Damaged for a model that gives
        numbers that are not finite.
        """
        names, opener = RecordNames(), decoding_threads.opener(self.model)
        some = decoding_threads.chunks(sources, self.batch)
        predict = partial(self._predicted, opener)
        with closing(decoding_threads.in_order(predict, some, self.threads)) as results:
            for result in results:
                for one, prediction in result:
                    yield replace(prediction, name=names.unique(one))

    def _predicted(
        self, opener: Callable[[Input], Opened], some: list[Input]
    ) -> list[tuple[Opened, Prediction]]:
        opened = [opener(source) for source in some]
        images = [one.pixels for one in opened if one.pixels is not None]
        found = iter(self._outputs(np.stack(images)) if images else ())
        return [
            (
                one,
                Prediction(one.name, one.source.box, reason=one.reason, detail=one.detail)
                if one.pixels is None
                else Prediction(one.name, one.source.box, *next(found)),
            )
            for one in opened
        ]

    def _outputs(self, images: np.ndarray) -> Iterator[tuple[Answer, np.ndarray, float | None]]:
        probabilities, embeddings = self.model.outputs(images, PROBABILITIES, EMBEDDING)
        try:
            found = self.rules.answers(probabilities)
        except ValueError as error:
            raise Damaged(f"{self.model.folder}: the model gives {error}. Train it anew.") from None
        novelty = [None] * len(images)
        if self.reference is not None:
            novelty = self.reference.novelty(embeddings).tolist()
        yield from zip(found, embeddings, novelty, strict=True)


def batches(opened: Iterable[Opened], size: int) -> Iterator[list[Opened]]:
    """The pictures in their order, in lists with `size` decoded ones; the last one has fewer."""
    some: list[Opened] = []
    decoded = 0
    for one in opened:
        some.append(one)
        decoded += one.pixels is not None
        if decoded == size:
            yield some
            some, decoded = [], 0
    if some:
        yield some


class RecordNames:
    """Names for records: a name that several have is followed by file and number."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def unique(self, one: Opened) -> str:
        """The name of a picture; for a record one that no record before it has."""
        place, name = one.source.record, one.name
        if place is None:
            return name
        if name in self._seen:
            name = f"{name} ({one.source.name}#{place.number})"
        self._seen.add(name)
        return name
