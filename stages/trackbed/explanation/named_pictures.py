"""Pictures that files, folders and patterns name, explained by what the model takes them for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trackbed.dataset import source_pictures
from trackbed.dataset.schema import Entry
from trackbed.explanation import explained
from trackbed.explanation.explained import Explained, Explainer
from trackbed.inference import answers, decoding_threads
from trackbed.inference.decoding_threads import Opener
from trackbed.inference.exported_model import ExportedModel
from trackbed.inference.inputs import Input
from trackbed.inference.prediction import RecordNames

RECORD_SIDE = 240  # pixels; a record is shown as a square, as the network sees it


@dataclass(frozen=True)
class Found:
    """Explained pictures, and what could not be used: names and reasons."""

    entries: Sequence[Explained]
    left_out: Sequence[tuple[str, str]]


def explained_pictures(
    explainer: Explainer, model: ExportedModel, sources: Sequence[Input], wanted: Sequence[str] = ()
) -> Found:
    """The pictures by their most probable and by the `wanted` classes, in their order.

    Decoded as by `trackbed predict`, with its confidence. All of them are in memory at once.
    """
    opener, names = decoding_threads.opener(model), RecordNames()
    opened = [opener(source) for source in sources]
    usable = [one for one in opened if one.pixels is not None]
    left_out = [
        (one.name, f"{one.reason} ({one.detail})" if one.detail else one.reason)
        for one in opened
        if one.pixels is None
    ]
    if not usable:
        return Found([], left_out)
    images = np.stack([one.pixels for one in usable])
    found = answers.rules(model.description).answers(model.probabilities(images))
    classes = [list(dict.fromkeys([answer.class_name, *wanted])) for answer in found]
    _, evidence = explained.evidence_of(explainer, images, classes, model.classes)
    entries = [
        Explained(
            names.unique(one),
            picture(one.source, opener),
            None,
            answer.class_name,
            answer.confidence,
            maps,
        )
        for one, answer, maps in zip(usable, found, evidence, strict=True)
    ]
    return Found(entries, left_out)


def picture(source: Input, opener: Opener) -> np.ndarray:
    """A picture that can be used, to be shown: uint8, (height, width, 3), RGB, see Explained."""
    if source.record is not None:
        return replace(opener, side=RECORD_SIDE)(source).pixels
    entry = Entry(source.name, "", "", "", Path(source.path), source.box, size=source.counted_in)
    image = source_pictures.checked(entry, opener.limits, opener.crop_margin).image
    return explained.shrunk(np.asarray(image), explained.LARGEST_SIDE)
