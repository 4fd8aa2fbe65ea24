"""A folder of new pictures: read as the build would, and seen by an exported model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from trackbed.dataset import folders, manifest_csv, source_pictures
from trackbed.dataset.schema import Entry
from trackbed.drift.observations import BATCH, Observations, outputs
from trackbed.drift.picture_groups import GroupRule
from trackbed.inference import answers, decoding_threads, prediction
from trackbed.inference.decoding_threads import Opened, Opener
from trackbed.inference.exported_model import ExportedModel
from trackbed.inference.inputs import Input, listed
from trackbed.inference.prediction import Prediction
from trackbed.pipeline.errors import UserError


@dataclass(frozen=True)
class Delivery:
    """New pictures.

    observations: of those that can be used, with names relative to the folder. inputs: where each
    comes from. digests: SHA-256 of its file, '' for a record. rejected: the others. ignored: files
    that are no pictures. grouped: whether groups are known.
    """

    folder: Path
    observations: Observations
    inputs: list[Input]
    digests: list[str]
    rejected: list[Prediction]
    ignored: int
    notes: list[str]
    grouped: bool
    has_manifest_groups: bool


@dataclass
class _Reading:
    """What is known once all pictures have been opened."""

    opener: Opener
    names: list[str] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    rejected: list[Prediction] = field(default_factory=list)

    def batches(self, sources: list[Input], threads: int) -> Iterator[np.ndarray]:
        """The pixels of pictures that can be used, a few at a time; the others are listed."""
        unique = prediction.RecordNames()
        with closing(decoding_threads.opened(sources, self.opener, threads)) as opened:
            for some in prediction.batches(opened, BATCH):
                usable = [one for one in some if self._take(one, unique.unique(one))]
                if usable:
                    yield np.stack([one.pixels for one in usable])

    def _take(self, one: Opened, name: str) -> bool:
        if one.pixels is None:
            box = one.source.box
            self.rejected.append(Prediction(name, box, reason=one.reason, detail=one.detail))
            return False
        self.names.append(name)
        self.inputs.append(one.source)
        return True


def read(
    folder: Path, model: ExportedModel, rule: GroupRule, threads: int, by_option: bool
) -> Delivery:
    """Read, check and predict all pictures of a folder.

    by_option: whether the rule was asked for; else the column group of a manifest counts first.
    Raises UserError where there is no folder or no picture that can be used.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: {'not a' if folder.exists() else 'no such'} folder.")
    found = listed([str(folder)], lambda: b"")
    reading = _Reading(opener(model))
    sources = found.pictures
    if not sources:
        others = f"{found.ignored:,} other file{'' if found.ignored == 1 else 's'}"
        raise UserError(f"{folder}: no picture, {others}.")
    batches = reading.batches(sources, threads)
    first = next(batches, None)
    if first is None:
        one = reading.rejected[0]
        raise UserError(
            f"{folder}: every picture is rejected ({len(reading.rejected):,}), such as {one.name}: "
            f"{one.reason} {one.detail}".rstrip()
            + "."
        )
    seen = outputs(model, _chained(first, batches))
    names = [_relative(name, folder) for name in reading.names]
    own = None if by_option else _manifest_groups(folder, reading.inputs)
    groups = rule.groups(names) if own is None else own
    return Delivery(
        folder=folder,
        observations=Observations(names, groups, *seen),
        inputs=reading.inputs,
        digests=[_digest(one) for one in reading.inputs],
        rejected=reading.rejected,
        ignored=found.ignored,
        notes=found.notes,
        grouped=own is not None or rule.pattern is not None,
        has_manifest_groups=own is not None,
    )


def opener(model: ExportedModel) -> Opener:
    """Reads pictures within the limits that the model's pictures were read with."""
    margin = model.description["pictures"]["crop_margin"]
    return Opener(answers.limits(model.description), margin, model.side)


def picture(one: Input, read_with: Opener) -> Image.Image:
    """A picture to look at, cropped to its box; of a record, what the network sees of it.

    Raises Rejected where it cannot be read any more.
    """
    if one.record is not None:
        return Image.fromarray(read_with(one).pixels)
    entry = Entry(one.name, "", "", "", Path(one.path), one.box, size=one.counted_in)
    return source_pictures.checked(entry, read_with.limits, read_with.crop_margin).image


def _chained(first: np.ndarray, rest: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from rest


def _relative(name: str, folder: Path) -> str:
    """A picture's name in the folder; that of a record as it is."""
    prefix = os.path.join(os.path.normpath(folder), "")
    return name.removeprefix(prefix).replace(os.sep, "/")


def _manifest_groups(folder: Path, inputs: list[Input]) -> list[str] | None:
    """The groups that the folder's manifest names; None where it has none."""
    tree = folders.walk(folder)
    if manifest_csv.MANIFEST not in tree.files:
        return None
    entries = manifest_csv.pictures(folder / manifest_csv.MANIFEST, tree)
    groups = {(str(entry.path), entry.box): entry.group for entry in entries}
    if not any(groups.values()):
        return None
    return [groups.get((one.path, one.box)) or one.path for one in inputs]


def _digest(one: Input) -> str:
    if one.record is not None:
        return ""
    try:
        with open(one.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
