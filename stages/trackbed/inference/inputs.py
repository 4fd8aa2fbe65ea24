"""Which pictures are to be predicted: those that files, folders, patterns and tables name."""

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from trackbed.dataset import folders, manifest_csv, rails
from trackbed.dataset.schema import is_document
from trackbed.inference import patterns
from trackbed.inference.natural_order import sorted_naturally
from trackbed.pictures.crop_boxes import Box, Size
from trackbed.pictures.file_names import has_bad_name, printable
from trackbed.pictures.rejections import BAD_NAME, DAMAGED, EMPTY, NOT_REGULAR, UNREADABLE
from trackbed.pipeline.errors import UserError
from trackbed.records import record_features, tfrecord

STANDARD_INPUT = "-"


class RecordPlace(NamedTuple):
    """A TFRecord in a file."""

    number: int  # from 0
    offset: int  # bytes
    length: int  # bytes of its data, without the frame


@dataclass(frozen=True, slots=True)
class Input:
    """One picture to predict."""

    name: str  # in the answers; of a record, the file's until it is opened
    path: str  # of the file that holds the bytes
    box: Box | None = None
    counted_in: Size | None = None  # the size of the picture that the box was measured in
    record: RecordPlace | None = None
    reason: str = ""  # why it is rejected unopened
    detail: str = ""


@dataclass
class Inputs:
    """All pictures to predict, in order, and what was found beside them."""

    pictures: list[Input] = field(default_factory=list)
    ignored: int = 0  # hidden files, documents, files that a manifest does not name
    repeated: int = 0  # pictures that were named again
    notes: list[str] = field(default_factory=list)
    # File, box and record of all pictures so far; None where none can be there twice.
    _seen: set[tuple[object, ...]] | None = field(default_factory=set)

    def add(self, picture: Input, place: str) -> None:
        """Add a picture unless it was there before; place: of its file, without links."""
        key = (place, picture.box, picture.record)
        if self._seen is not None and key in self._seen:
            self.repeated += 1
            return
        if self._seen is not None:
            self._seen.add(key)
        self.pictures.append(picture)

    def reject(self, name: str, reason: str, detail: str = "") -> None:
        """Add what cannot be used."""
        self.pictures.append(Input(printable(name), name, reason=reason, detail=detail))


def listed(paths: Sequence[str], read_names: Callable[[], bytes]) -> Inputs:
    """The pictures of some paths, in their order; no picture is opened.

    A path is a file, a folder with all that lies in it, in natural order, a pattern (see
    `patterns`) that is not itself a file, a manifest (.csv), a TFRecord file, or STANDARD_INPUT for
    names, of which read_names returns one a line, or separated by zero bytes.
    Raises UserError for a path that is not there, and BadData for a wrong manifest or folder.
    """
    inputs = Inputs()
    if len(paths) == 1 and os.path.isdir(paths[0]):
        inputs._seen = None  # which saves memory
    for path in paths:
        if path == STANDARD_INPUT:
            names = _names(read_names())
        elif (problem := _absence(path)) is None:
            names = [path]
        else:
            names = _matches(path, problem)
        for name in names:
            _add_if_there(inputs, name)
    inputs._seen = None
    return inputs


def _names(content: bytes) -> list[str]:
    """The names in a list, as of `find` or `find -print0`."""
    lines = content.split(b"\0") if b"\0" in content else content.splitlines()
    return [os.fsdecode(line) for line in lines if line.strip()]


def _absence(path: str) -> str | None:
    """Why a path leads nowhere; None where it does not."""
    try:
        os.stat(path)
    except OSError as error:
        return error.strerror or "cannot be read"
    except ValueError:  # a zero byte
        return "no name of a file"
    return None


def _matches(pattern: str, problem: str) -> list[str]:
    found = patterns.matches(pattern)
    if not found:
        what = "matches no file" if patterns.is_pattern(pattern) else problem
        raise UserError(f"{printable(pattern)!r}: {what}.")
    return sorted_naturally(found)


def _add_if_there(inputs: Inputs, path: str) -> None:
    """Add what lies at a path; a pattern may match links that lead nowhere."""
    if (problem := _absence(path)) is None:
        _add(inputs, path)
    else:
        inputs.reject(path, UNREADABLE, problem)


def _add(inputs: Inputs, path: str) -> None:
    """Add what lies at a path that is there."""
    place, name = os.path.realpath(path), os.path.normpath(path)
    if os.path.isdir(path):
        _add_folder(inputs, name, place)
    elif not stat.S_ISREG(mode := os.stat(path).st_mode):
        inputs.reject(name, NOT_REGULAR, stat.filemode(mode))
    elif name.lower().endswith(".csv"):
        folder = Path(name).parent
        _add_manifest(inputs, Path(name), folders.walk(folder), os.path.dirname(place))
    elif rails.FILE_NAME.fullmatch(os.path.basename(name)) or _is_tfrecord(place):
        _add_records(inputs, name, place)
    else:
        _add_file(inputs, name, place, place)


def _add_file(inputs: Inputs, name: str, path: str, place: str) -> None:
    if has_bad_name(name):
        inputs.reject(name, BAD_NAME)
    else:
        inputs.add(Input(name, path), place)


def _add_folder(inputs: Inputs, folder: str, place: str) -> None:
    """Add all that lies in a folder: by its manifest, or all but hidden files and documents."""
    tree = folders.walk(Path(folder))
    if manifest_csv.MANIFEST in tree.files:
        path = Path(folder, manifest_csv.MANIFEST)
        inputs.notes.append(f"{printable(str(path))}: says which pictures count, and their boxes")
        _add_manifest(inputs, path, tree, place)
        return
    inputs.ignored += len(tree.ignored)
    for name in sorted_naturally(tree.files):
        shown = os.path.normpath(os.path.join(folder, name))
        path, inner = str(tree.path(Path(folder), name)), os.path.join(place, name)
        if _is_no_picture(name) and name not in tree.irregular:
            inputs.ignored += 1
        elif rails.FILE_NAME.fullmatch(name) and name not in tree.irregular:
            _add_records(inputs, shown, path)
        else:
            # One text for both, as there may be many.
            _add_file(inputs, shown, shown if path == shown else path, inner)


def _is_no_picture(name: str) -> bool:
    """Whether a file in a folder is a document, or holds what the build has rejected."""
    return is_document(name) or os.path.basename(name) == record_features.REJECTED_FILE


def _add_manifest(inputs: Inputs, path: Path, tree: folders.Tree, place: str) -> None:
    entries = manifest_csv.pictures(path, tree)
    named = {entry.filename for entry in entries} | {path.name}
    inputs.ignored += len({*tree.files, *tree.ignored} - named)
    inputs._seen = inputs._seen if inputs._seen is not None else set()
    for entry in entries:
        shown = os.path.normpath(os.path.join(path.parent, entry.filename))
        picture = Input(shown, str(entry.path), entry.box, entry.size)
        inputs.add(picture, os.path.join(place, entry.filename))


def _is_tfrecord(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return tfrecord.is_header(file.read(tfrecord.HEADER_BYTES))
    except OSError:
        return False


def _add_records(inputs: Inputs, name: str, path: str) -> None:
    """Add the records of a TFRecord file up to the first one that cannot be found."""
    place = os.path.realpath(path)
    try:
        plain = tfrecord.plain_file(Path(path))
        records, end = _records(plain)
    except ValueError:
        inputs.reject(name, DAMAGED, "compressed, and damaged or cut off")
        return
    except OSError as error:
        inputs.reject(name, UNREADABLE, error.strerror or "")
        return
    for record in records:
        inputs.add(Input(printable(name), str(plain), record=record), place)
    if end is not None:
        problem = rails.damage(plain, end)
        inputs.reject(name, DAMAGED, f"record {len(records)}: {problem}; nothing follows it")
    elif not records:
        inputs.reject(name, EMPTY, "holds no record")


def _records(path: Path) -> tuple[list[RecordPlace], int | None]:
    """Where the records of a file lie, and where the first one that is damaged begins, or None."""
    records: list[RecordPlace] = []
    with path.open("rb") as file:
        try:
            for offset, length in tfrecord.places(file):
                records.append(RecordPlace(len(records), offset, length))
        except ValueError:
            last = records[-1] if records else RecordPlace(0, 0, -tfrecord.FRAME_BYTES)
            return records, last.offset + last.length + tfrecord.FRAME_BYTES
    return records, None
