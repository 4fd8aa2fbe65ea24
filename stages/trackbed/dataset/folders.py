"""Sources of class folders: `<CLASS>/**`, or the same under `train/` and `test/`."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from trackbed.dataset.schema import (
    BAD_NAME,
    NO_CLASS,
    NOT_REGULAR,
    Entry,
    Found,
    has_bad_name,
    printable,
)
from trackbed.pipeline.errors import BadData

PARTS = ("train", "test")
# Folder names that mean a part, not a class, where they hold folders themselves.
PART_NAMES = {*PARTS, "training", "testing", "val", "valid", "validation", "dev", "eval"}
CLUTTER_NAMES = {"__MACOSX", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Tree:
    """Everything in a folder, by names relative to it; symbolic links are not followed."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # hidden files and clutter
    irregular: set[str] = field(default_factory=set)  # neither a regular file nor a folder

    def inside(self, prefix: str) -> list[str]:
        """The folders directly under a prefix, which is empty or ends in a slash."""
        rest = (name[len(prefix) :] for name in self.folders if name.startswith(prefix))
        return [name for name in rest if "/" not in name]


def walk(root: Path) -> Tree:
    """List a folder and all that lies in it. Raises UserError where that is not possible."""
    tree = Tree()
    try:
        _walk(root, tree)
    except FileNotFoundError:
        raise BadData(f"{root}: no such folder; see data.source in params.yaml.") from None
    except NotADirectoryError:
        raise BadData(f"{root}: not a folder; see data.source in params.yaml.") from None
    except OSError as error:
        raise BadData(f"{error.filename or root}: cannot be listed ({error.strerror}).") from None
    for names in (tree.files, tree.folders, tree.ignored):
        names.sort()
    return tree


def _walk(root: Path, tree: Tree) -> None:
    waiting = [("", False)]
    while waiting:
        prefix, hidden = waiting.pop()
        with os.scandir(root / prefix) as items:
            for item in items:
                name = prefix + item.name
                clutter = hidden or item.name.startswith(".") or item.name in CLUTTER_NAMES
                if item.is_dir(follow_symlinks=False):
                    waiting.append((name + "/", clutter))
                    if not clutter:
                        tree.folders.append(name)
                    continue
                (tree.ignored if clutter else tree.files).append(name)
                if not item.is_file(follow_symlinks=False):
                    tree.irregular.add(name)


def read(root: Path, tree: Tree) -> Found:
    """The pictures of class folders; files in nested folders belong to their class.

    Raises UserError if it is not clear which folders are classes.
    """
    parts = _parts(root, tree)
    entries, strays = [], []
    for name in tree.files:
        part, class_name = _place(name, parts)
        if has_bad_name(name):
            strays.append((printable(name), BAD_NAME))
        elif class_name is None:
            strays.append((name, NOT_REGULAR if name in tree.irregular else NO_CLASS))
        else:
            entries.append(Entry(name, class_name, part, "", root / name))
    return Found(
        entries, set(_classes(tree, parts)), [printable(name) for name in tree.ignored], strays
    )


def empty_classes(root: Path, tree: Tree) -> list[str]:
    """The folders of classes that hold no file in any part. Raises UserError as `read` does."""
    return [
        folder
        for places in _classes(tree, _parts(root, tree)).values()
        if not any(name.startswith(f"{place}/") for place in places for name in tree.files)
        for folder in places
    ]


def _classes(tree: Tree, parts: list[str]) -> dict[str, list[str]]:
    """The folders of every class, one of each part."""
    found: dict[str, list[str]] = {}
    for prefix in [f"{part}/" for part in parts] or [""]:
        for name in tree.inside(prefix):
            found.setdefault(name, []).append(prefix + name)
    return found


def _place(name: str, parts: list[str]) -> tuple[str, str | None]:
    """Part and class of a file by its name; class None where it lies in no class folder."""
    part, rest = "", name
    if parts:
        part, _, rest = name.partition("/")
        if part not in parts:
            return "", None
    class_name, slash, _ = rest.partition("/")
    return part, class_name if slash else None


def _parts(root: Path, tree: Tree) -> list[str]:
    """Those of train and test that lie there as parts, not as classes of this name."""
    top = set(tree.inside(""))
    nested = {name for name in top if tree.inside(f"{name}/")}
    official = top & set(PARTS)
    similar = {name for name in nested if name.casefold() in PART_NAMES} - official
    others = top - official
    if similar or (others and official & nested):
        beside = _listed(others - similar)
        raise BadData(
            f"{root}: ambiguous; {_listed(similar | (official & nested))} could be parts or classes"
            f"{f', beside {beside}' if beside else ''}. Call the parts train and test and leave no "
            "other folder beside them, or give the classes other names."
        )
    if others or not official:
        return []
    if official == {"test"}:
        raise BadData(f"{root}: there is test/ but no train/; a model needs training pictures.")
    return sorted(official)


def _listed(names: set[str], most: int = 5) -> str:
    listed = [f"{printable(name)}/" for name in sorted(names)]
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")
