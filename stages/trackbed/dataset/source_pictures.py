"""One picture of a source: read, checked, decoded and cropped as the build stores it."""

import io
import stat
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from trackbed.dataset.schema import Entry, RawPixels
from trackbed.pictures import crop_boxes, decoding
from trackbed.pictures import rejections as reasons
from trackbed.pictures.crop_boxes import BoxFit
from trackbed.pictures.decoding import Decoded
from trackbed.pictures.rejections import TOO_LONG, Limits, Rejected
from trackbed.records import tfrecord
from trackbed.records.record_features import IMAGE
from trackbed.records.resizing import Stored

# What a file may hold beside its pixels, in bytes: metadata, thumbnails, a video of some seconds.
METADATA_BYTES = 2**26
HEADER_BYTES = 2**12


class LimitedFile(io.FileIO):
    """A file that refuses to be read beyond METADATA_BYTES."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._left = METADATA_BYTES

    def read(self, size: int = -1) -> bytes:
        """Like read of any file. Raises Rejected beyond the limit."""
        data = super().read(self._left + 1 if size < 0 else min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise Rejected(TOO_LONG, f"more than {METADATA_BYTES:,} bytes before any pixel")
        return data


def refuse_too_long(path: Path, length: int, limits: Limits) -> None:
    """Raise Rejected for a file that is far longer than the size in its header explains."""
    if length <= METADATA_BYTES:
        return
    with LimitedFile(path) as file:
        head = file.read(HEADER_BYTES)
        file.seek(0)
        header = decoding.header(file, head, limits)
    limits.refuse_large(*header.size)
    if length > METADATA_BYTES + header.format.bytes_per_pixel * header.pixels:
        width, height = header.size
        raise Rejected(TOO_LONG, f"{length:,} bytes for {width:,} x {height:,} pixels")


@dataclass(frozen=True)
class SourcePicture:
    """A picture that was decoded and cropped."""

    content: bytes  # of the file, or of the pixels in a TFRecord
    source: Decoded  # before the crop
    image: Image.Image  # mode RGB, upright and cropped
    as_it_came: Stored  # what can be stored in place of its pixels
    box: BoxFit | None = None


def checked(
    entry: Entry, limits: Limits, crop_margin: float = 0.0, *, quick: bool = False
) -> SourcePicture:
    """Check and decode a picture, upright and cropped to its box.

    The box counts in the upright picture; `crop_margin` adds this share of its sides to every
    side, as far as the picture reaches. `limits.pixels` is for the whole picture, the other
    limits are for what is kept of it. `quick`: see decoding.decoded. Raises Rejected, and nothing
    else, for a file that cannot be used.
    """
    content = _read(entry, limits)
    if entry.raw is not None:
        source = Decoded(image_of_raw_pixels(content, entry.raw), "RAW", None)
    else:
        whole = entry.box is None or limits.boxes == "ignore"
        source = decoding.decoded(content, limits, whole=whole, quick=quick)
    fit = crop_boxes.box_fit(entry.box, entry.size, source.image.size, limits.boxes)
    if fit is None:
        return SourcePicture(content, source, source.image, source.stored)
    image = crop_boxes.cropped(source.image, fit.box, crop_margin)
    limits.refuse_shape(*image.size)
    return SourcePicture(content, source, image, None, fit)


def _read(entry: Entry, limits: Limits) -> bytes:
    """The bytes of a regular file, or of the pixels of a record in it."""
    try:
        status = entry.path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise Rejected(reasons.NOT_REGULAR, stat.filemode(status.st_mode))
        if entry.raw is not None:
            return _read_raw(entry.path, entry.raw, limits)
        refuse_too_long(entry.path, status.st_size, limits)
        return entry.path.read_bytes()
    except OSError as error:
        raise Rejected(reasons.UNREADABLE, error.strerror or "") from None


def _read_raw(path: Path, raw: RawPixels, limits: Limits) -> bytes:
    refuse_raw(raw, limits)
    with path.open("rb") as file:
        file.seek(raw.offset)
        record = file.read(raw.record_length)
    if len(record) < raw.record_length:
        raise Rejected(reasons.TRUNCATED, f"{len(record):,} of {raw.record_length:,} bytes")
    try:
        return tfrecord.parse_example(tfrecord.unframe(record))[IMAGE]
    except (ValueError, KeyError) as error:
        raise Rejected(reasons.DAMAGED, str(error)) from None


def refuse_raw(raw: RawPixels, limits: Limits) -> None:
    """Raise Rejected for pixels of the wrong length, size or shape."""
    limits.refuse_large(raw.width, raw.height)
    expected = max(0, raw.height) * max(0, raw.width) * raw.depth
    if raw.length != expected or not expected:
        raise Rejected(
            reasons.WRONG_LENGTH,
            f"pixel data of {raw.length:,} bytes, {raw.height} x {raw.width} x {raw.depth} "
            f"are {expected:,}",
        )
    limits.refuse_shape(raw.width, raw.height)


def image_of_raw_pixels(data: bytes, raw: RawPixels) -> Image.Image:
    """The picture of raw pixels, in mode RGB."""
    mode = "L" if raw.depth == 1 else "RGB"
    return Image.frombytes(mode, (raw.width, raw.height), data).convert("RGB")
