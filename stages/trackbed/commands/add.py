"""`trackbed add`: copy newly labelled pictures into the class folders of the source."""

import argparse
import difflib
import filecmp
import posixpath
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackbed.pipeline.errors import BadData, UserError

if TYPE_CHECKING:
    from trackbed.dataset.schema import Entry, Listing

SAMPLE = Path("data/sample")  # an output of a stage, which removes what others put there
HELP = "copy newly labelled pictures into the class folders of the source"
DESCRIPTION = """\
Copy the pictures of a manifest that have a label into the class folders of data.source, such as the
pictures that `trackbed drift --label-first` listed. MANIFEST needs the columns filename, relative
to its folder, and label; rows whose label is empty are left out. A picture new/cam1/7.jpg of the
class STONE becomes STONE/new/cam1/7.jpg, in the training part where the source has parts.

Everything is checked before the first picture is copied, nothing is replaced, and what is there
already is not copied again. Then run `dvc add` for the source, and `dvc repro`.

exit code: 0 the pictures are in the source, 2 wrong arguments, 3 the manifest or the source is
wrong."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="CSV file that lies above its pictures"
    )
    parser.add_argument(
        "--new-classes",
        action="store_true",
        help="make class folders for labels that the source does not have",
    )


def run(arguments: argparse.Namespace) -> None:
    """Copy the pictures and print their number. Raises UserError."""
    from trackbed.dataset import folders, manifest_csv, sources  # imports pandas
    from trackbed.dataset.groups import Grouping
    from trackbed.pipeline.outputs import replacing

    p = _params()
    source, manifest = Path(p.source), arguments.manifest
    if source.resolve() == SAMPLE.resolve():
        raise UserError(
            f"{source}: is the built-in sample, and the next `dvc repro` would remove pictures "
            "that are added. Set data.source in params.yaml to a folder of your own."
        )
    listing = sources.scan(source, p.classes, Grouping(p.group, p.group_per_class), p.parts)
    tree = folders.walk(manifest.parent)
    rows = manifest_csv.pictures(manifest, tree)
    labelled = [row for row in rows if row.class_name]
    _refuse_rows(labelled, manifest, tree.irregular)
    _refuse_names(labelled, manifest, p.group)
    places = _class_folders(listing, source)
    _add_new_classes(places, labelled, manifest, arguments.new_classes and not p.classes)
    delivery = manifest.parent.resolve().name
    targets = {
        source / places[row.class_name] / delivery / row.filename: row.path for row in labelled
    }
    there = {target for target, path in targets.items() if _is_there(target, path)}
    for target, path in targets.items():
        if target not in there:
            with replacing(target) as temporary:
                shutil.copyfile(path, temporary)
    print(
        f"{source}: {len(targets) - len(there):,} added, {len(there):,} there already; "
        f"left out without a label: {len(rows) - len(labelled):,}"
    )
    if p.group is None and any(row.group for row in labelled):
        print("data.group is null, so the groups of the manifest are lost; see docs/drift.md.")


def _params() -> Any:
    from trackbed.dataset.part_name import PartName
    from trackbed.pipeline import params
    from trackbed.pipeline.params import Maybe

    class AddParams(params.Section, extra="ignore"):
        """What says where the classes of the source lie."""

        source: str
        classes: Maybe[list[str]] = None
        parts: Maybe[dict[str, PartName]] = None
        group: Maybe[str] = None
        group_per_class: bool = False

    return params.load("data", AddParams)


def _refuse_rows(rows: "list[Entry]", manifest: Path, irregular: set[str]) -> None:
    """Raise BadData where a picture cannot be copied or its class is not clear."""
    if not rows:
        raise BadData(f"{manifest}: no row has a label.")
    labels: dict[str, str] = {}
    for row in rows:
        if row.box:
            raise BadData(
                f"{manifest}: {row.filename!r} has a box, which class folders cannot hold."
            )
        if row.filename in irregular:
            raise BadData(f"{manifest}: {row.filename!r} is not a regular file.")
        other = labels.setdefault(row.filename, row.class_name)
        if other != row.class_name:
            raise BadData(
                f"{manifest}: {row.filename!r} is labelled {other!r} and {row.class_name!r}."
            )


def _refuse_names(rows: "list[Entry]", manifest: Path, pattern: str | None) -> None:
    """Raise BadData for a file name that data.group, which the build applies, does not match."""
    from trackbed.dataset.groups import FOLDER

    if pattern in (None, FOLDER):
        return
    for row in rows:
        if not re.search(pattern, posixpath.basename(row.filename)):
            raise BadData(
                f"{manifest}: {row.filename!r} does not match data.group, {pattern!r}, so the "
                "build would fail. Rename the file, or change data.group."
            )


def _class_folders(listing: "Listing", source: Path) -> dict[str, str]:
    """Class name -> its folder relative to the source, of the training part if there are parts."""
    from trackbed.dataset.schema import TRAIN

    if not all(entry.folder for entry in listing.entries):
        raise UserError(
            f"{source}: has no class folders. Add the rows to its manifest.csv by hand."
        )
    found = {e.class_name: e.folder for e in listing.entries if e.part in ("", TRAIN)}
    parent = posixpath.dirname(min(found.values()))
    return {name: found.get(name, posixpath.join(parent, name)) for name in listing.classes}


def _add_new_classes(
    places: dict[str, str], rows: "list[Entry]", manifest: Path, allowed: bool
) -> None:
    """Add folders for the labels that are no class. Raises BadData if that is not allowed."""
    from trackbed.dataset import sources

    parent = posixpath.dirname(min(places.values()))
    for row in rows:
        name = row.class_name
        if name in places:
            continue
        if fault := sources.class_name_fault(name):
            raise BadData(f"{manifest}: {row.filename!r} has the label {name!r}: {fault}.")
        if not allowed:
            close = difflib.get_close_matches(name, places, n=1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            raise BadData(
                f"{manifest}: {row.filename!r} has the label {name!r}, which is no class of the "
                f"source ({', '.join(places)}). {hint}A new class needs --new-classes, and "
                "its name in data.classes if that is a list."
            )
        places[name] = posixpath.join(parent, name)


def _is_there(target: Path, path: Path) -> bool:
    """Whether the picture was copied before. Raises BadData where another file has its place."""
    if not target.exists():
        return False
    if not target.is_file() or not filecmp.cmp(target, path, shallow=False):
        raise BadData(f"{target}: exists with another content. Rename the folder of the manifest.")
    return True
