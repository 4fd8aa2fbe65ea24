"""Inputs as pixels for the network: decoded in threads, in order, and within bounded memory."""

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from trackbed.dataset import source_pictures
from trackbed.dataset.schema import Entry, RawPixels
from trackbed.inference import answers
from trackbed.inference.exported_model import ExportedModel
from trackbed.inference.inputs import Input, RecordPlace
from trackbed.pictures import formats, network_input
from trackbed.pictures.file_names import printable
from trackbed.pictures.rejections import DAMAGED, UNREADABLE, Limits, Rejected
from trackbed.records import tfrecord
from trackbed.records.record_features import IMAGE

Item = TypeVar("Item")
Result = TypeVar("Result")

# A thread takes so many pictures at a time, which outweighs handing them over.
CHUNK_PICTURES = 8
ITEMS_AHEAD = 3  # per thread, done or under way


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture that was decoded, or why it was not."""

    source: Input
    name: str
    pixels: np.ndarray | None = None  # uint8, (side, side, 3), RGB
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Opener:
    """Reads, checks, crops, decodes and resizes pictures as the build and training do."""

    limits: Limits
    crop_margin: float
    side: int

    def __call__(self, source: Input) -> Opened:
        """The pixels of an input, or the reason for which the build would reject it."""
        name = source.name
        try:
            if source.reason:
                raise Rejected(source.reason, source.detail)
            if source.record is None:
                return Opened(source, name, self._of_file(source))
            name = f"{name}#{source.record.number}"
            features = _features(source.path, source.record)
            name = _record_name(features) or name
            return Opened(source, name, self._of_record(features))
        except Rejected as rejection:
            return Opened(source, name, None, rejection.reason, rejection.detail)

    def _of_file(self, source: Input) -> np.ndarray:
        path = Path(source.path)
        entry = Entry(source.name, "", "", "", path, source.box, size=source.counted_in)
        found = source_pictures.checked(entry, self.limits, self.crop_margin)
        return network_input.of_decoded(found.image, found.as_it_came, self.side)

    def _of_record(self, features: Mapping[str, Any]) -> np.ndarray:
        """The pixels of a record: encoded as the build stores it, or raw as RAILS does."""
        data = features.get(IMAGE)
        if not isinstance(data, bytes):
            raise Rejected(DAMAGED, f"no feature {IMAGE} with one value")
        raw = _raw(features, data)
        if raw is None:
            return network_input.of_bytes(data, self.limits, self.side)
        source_pictures.refuse_raw(raw, self.limits)
        image = source_pictures.image_of_raw_pixels(data, raw)
        return network_input.of_decoded(image, None, self.side)


def opener(model: ExportedModel) -> Opener:
    """Opens pictures for a model, within the limits of the build that it learned from."""
    description = model.description
    return Opener(answers.limits(description), description["pictures"]["crop_margin"], model.side)


def _features(path: str, place: RecordPlace) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            file.seek(place.offset)
            record = file.read(place.length + tfrecord.FRAME_BYTES)
        return tfrecord.parse_example(tfrecord.unframe(record))
    except ValueError as error:
        raise Rejected(DAMAGED, str(error)) from None
    except OSError as error:
        raise Rejected(UNREADABLE, error.strerror or "") from None


def _record_name(features: Mapping[str, Any]) -> str:
    given = features.get("image_filename")
    return printable(given.decode("utf-8", "surrogateescape")) if isinstance(given, bytes) else ""


def _raw(features: Mapping[str, Any], data: bytes) -> RawPixels | None:
    """The raw pixels of a record; None where it holds the bytes of a picture file.

    A record that does not say so holds them where they begin like a picture, and are not as long
    as its pixels would be.
    """
    encoding = features.get("encoding", b"")
    if encoding not in (b"", b"raw"):
        return None
    shape = [features.get(name) for name in ("height", "width", "depth")]
    sized = all(isinstance(number, int) for number in shape)
    if not encoding and not (sized and math.prod(shape) == len(data)) and formats.is_known(data):
        return None
    if not sized or shape[2] not in (1, 3):
        raise Rejected(DAMAGED, "no height, width, and depth of 1 or 3, beside its pixels")
    return RawPixels(0, len(data), len(data), *shape)


def opened(
    sources: Iterable[Input], opener: Callable[[Input], Opened], threads: int
) -> Iterator[Opened]:
    """Every input, opened, in their order; see `in_order`."""

    def all_opened(chunk: list[Input]) -> list[Opened]:
        return [opener(source) for source in chunk]

    with closing(in_order(all_opened, chunks(sources, CHUNK_PICTURES), threads)) as found:
        for some in found:
            yield from some


def chunks(items: Iterable[Item], length: int) -> Iterator[list[Item]]:
    """The items in lists of a length; the last one may be shorter."""
    remaining = iter(items)
    while chunk := list(itertools.islice(remaining, length)):
        yield chunk


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    """function(item) of every item, computed in threads, in the order of the items.

    Few items are taken ahead of the results, so that memory does not grow with their number.
    Closing the iterator, or an error, ends the threads.
    """
    waiting = deque[Future[Result]]()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) == threads * ITEMS_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
