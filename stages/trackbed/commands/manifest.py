"""`trackbed manifest`: write a manifest.csv for folders of a known layout."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trackbed.pipeline import operating_system
from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    from trackbed.dataset.schema import Entry, Found

HELP = "write a manifest.csv for folders of a known layout"
DESCRIPTION = f"{HELP.capitalize()}."
GTSRB = """\
Write a manifest.csv for the official folders of the German Traffic Sign Recognition Benchmark.

The label is the class number (00 to 42), the group of a training picture is its track
(<class>/<track>), the box is the annotated sign (Roi.X2 and Roi.Y2 lie outside). The size of the
pictures is compared with the annotated one. The test part needs GT-final_test.csv anywhere in
FOLDER. Name the folder of the training pictures to leave it out; the column part is then empty."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    layouts = parser.add_subparsers(metavar="LAYOUT", title="layouts", required=True)
    layout = layouts.add_parser(
        "gtsrb",
        help="German traffic signs, official folders",
        description=GTSRB,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    layout.add_argument(
        "folder", type=Path, metavar="FOLDER", help="any folder above the official ones"
    )
    layout.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="default: manifest.csv in FOLDER; it must lie above the pictures, and the pipeline "
        "reads it by the name manifest.csv",
    )
    layout.add_argument(
        "--no-boxes", action="store_true", help="leave the boxes out, to use whole pictures"
    )
    layout.add_argument("--force", action="store_true", help="replace FILE if it exists")


def run(arguments: argparse.Namespace) -> None:
    """Write the manifest and print what is in it. Raises UserError."""
    from trackbed.dataset import folders, gtsrb, manifest_csv  # imports pandas

    folder = arguments.folder
    output = arguments.output or folder / manifest_csv.MANIFEST
    if not folder.is_dir():
        raise UserError(f"{folder}: {'not a' if folder.exists() else 'no such'} folder.")
    _refuse_to_overwrite(output, arguments.force)
    found = gtsrb.read(folder, folders.walk(folder))
    if arguments.no_boxes:
        entries = [replace(entry, box=None, size=None) for entry in found.entries]
        found = replace(found, entries=entries)
    prefix = operating_system.relative_path(folder, output.parent)
    _write(output, manifest_csv.text(found.entries, prefix, output))
    print(summary(found, output))
    if differing := other_sizes(found):
        print(differing)


def other_sizes(found: "Found") -> str:
    """What to do about pictures of another size than their boxes count in; '' for none.

    Only headers are read. A picture whose header cannot be read is left to the build.
    """
    boxed = [entry for entry in found.entries if entry.size]
    sizes = [_size(entry.path) for entry in boxed]
    pairs = [(e, size) for e, size in zip(boxed, sizes, strict=True) if size not in (None, e.size)]
    if not pairs:
        return ""
    shapes = sum(1 for entry, size in pairs if not _fits(entry, size))
    shaped = f", {shapes:,} of them another shape" if shapes else ""
    entry, (width, height) = pairs[0]
    return (
        f"another size than annotated: {len(pairs):,} of {len(boxed):,} pictures{shaped}, such as "
        f"{entry.filename}, {width} x {height} for {entry.size[0]} x {entry.size[1]} pixels. The "
        "build scales boxes with pictures of the same shape, and rejects others unless data.boxes "
        "is stretch; --no-boxes leaves the boxes out."
    )


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height in the header of a picture, None where it cannot be read."""
    from trackbed.dataset import source_pictures  # imports OpenCV
    from trackbed.pictures import decoding
    from trackbed.pictures.rejections import Limits, Rejected

    try:
        with path.open("rb") as file:
            head = file.read(source_pictures.HEADER_BYTES)
            file.seek(0)
            return decoding.header(file, head, Limits(sys.maxsize)).size
    except (OSError, Rejected):
        return None


def _fits(entry: "Entry", size: tuple[int, int]) -> bool:
    """Whether the build scales the box of an entry to this size."""
    from trackbed.pictures import crop_boxes
    from trackbed.pictures.rejections import Rejected

    try:
        return crop_boxes.box_fit(entry.box, entry.size, size, "check") is not None
    except Rejected:
        return False


def summary(found: "Found", path: Path) -> str:
    """What a manifest at `path` holds, in a few lines."""
    from trackbed.pictures.file_names import printable

    lines = [f"{printable(str(path))}: {len(found.entries):,} rows, {len(found.classes)} classes"]
    for part in sorted({entry.part for entry in found.entries}, reverse=True):
        entries = [entry for entry in found.entries if entry.part == part]
        tracks = len({entry.group for entry in entries if entry.group})
        kept = f" in {tracks:,} tracks" if tracks else ", each alone"
        lines.append(f"part {part or '(empty)'}: {len(entries):,} pictures{kept}")
    if found.ignored:
        count, example = len(found.ignored), found.ignored[0]
        lines.append(f"left out, pictures without a row: {count:,}, such as {example}")
    return "\n".join(lines)


def _refuse_to_overwrite(path: Path, force: bool) -> None:
    if path.is_dir():
        raise UserError(
            f"{path}: a folder; --output names a file, such as {path / 'manifest.csv'}."
        )
    if os.path.lexists(path) and not force:
        raise UserError(f"{path}: exists already. Use --force to replace it.")


def _write(path: Path, text: str) -> None:
    from trackbed.pipeline.outputs import replacing  # imports pandas

    try:
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}).") from None
