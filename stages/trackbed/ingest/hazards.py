"""What in a folder stops `dvc add`, or comes out of it as something else than it was."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from trackbed.ingest import folders, manifest, rails
from trackbed.ingest.entries import BAD_NAME, UNREADABLE, has_bad_name, shown
from trackbed.ingest.folders import Tree
from trackbed.problems import Problem

LINK = "symbolic link"  # dvc add copies what it leads to into the cache
PIPE = "pipe"  # it waits for a writer, for ever
EMPTY_CLASS = "empty class folder"  # it is gone after `dvc pull`
KINDS = {
    stat.S_IFLNK: LINK,
    stat.S_IFIFO: PIPE,
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


@dataclass(frozen=True, order=True)
class Hazard:
    """Something in a folder that `dvc add` cannot keep as it is; words for a terminal."""

    filename: str  # relative to the folder, '.' for the folder itself
    reason: str
    detail: str = ""


def found(root: Path, tree: Tree) -> list[Hazard]:
    """All hazards of a folder and of what lies in it, hidden files too, sorted by name.

    `tree`: folders.walk(root). Nothing is opened.
    """
    hazards = [_irregular(root, "")] if root.is_symlink() else []
    hazards += [_irregular(root, name) for name in tree.irregular]
    for name in (*tree.files, *tree.ignored, *tree.folders):
        if has_bad_name(name):
            hazards.append(Hazard(shown(name), BAD_NAME, _what(name)))
    hazards += [
        Hazard(shown(name), UNREADABLE, "permission denied")
        for name in (*tree.files, *tree.ignored)
        if name not in tree.irregular and not os.access(root / name, os.R_OK)
    ]
    return sorted(hazards + _empty_classes(root, tree))


def _irregular(root: Path, name: str) -> Hazard:
    path = root / name
    kind = KINDS.get(stat.S_IFMT(path.lstat().st_mode), "neither a file nor a folder")
    detail = f"to {shown(os.readlink(path))}" if kind == LINK else ""
    return Hazard(shown(name) or ".", kind, detail)


def _what(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        return "not UTF-8"
    return "control characters"


def _empty_classes(root: Path, tree: Tree) -> list[Hazard]:
    if manifest.MANIFEST in tree.files or rails.files(tree):
        return []
    try:
        empty = folders.empty_classes(root, tree)
    except Problem:  # which folders are classes; told when the source is read
        return []
    return [Hazard(shown(name), EMPTY_CLASS) for name in empty]
