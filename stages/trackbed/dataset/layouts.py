"""Class folders, alone or below parts, recognised by their names and structure."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from trackbed.dataset.folders import Hints, Layout, Shape, Tree, are_numbered
from trackbed.dataset.schema import (
    IGNORE,
    PARTS,
    PREDICTION_WORDS,
    TRAIN,
    Entry,
    Found,
    counterparts,
    is_document,
    is_filler,
    part_of,
    words,
)
from trackbed.pictures.file_names import has_bad_name, printable
from trackbed.pictures.rejections import BAD_NAME, NO_CLASS, NO_LABEL, NOT_REGULAR
from trackbed.pipeline.errors import BadData, UserError

NO_HINTS = Hints()


def read(root: Path, tree: Tree, hints: Hints = NO_HINTS) -> Found:
    """The pictures of class folders; files in nested folders belong to their class.

    Raises UserError if it is not clear which folders are classes, see `layout`.
    """
    shape = Shape(tree, hints)
    found = layout(shape, root)
    entries, strays, ignored = [], [], [printable(name) for name in tree.ignored]
    for name in tree.files:
        class_folder, part = found.class_folder(name)
        if name.startswith(tuple(found.ignored)):
            ignored.append(printable(name))
        elif has_bad_name(name):
            strays.append((printable(name), BAD_NAME))
        elif name.startswith(tuple(found.unlabelled)):
            if is_document(name) and name not in tree.irregular:
                ignored.append(name)
            else:
                strays.append((name, NO_LABEL))
        elif class_folder:
            class_name, path = class_folder.rpartition("/")[2], tree.path(root, name)
            entries.append(Entry(name, class_name, part, "", path, folder=class_folder))
        elif name in tree.irregular or not is_document(name):
            strays.append((name, NOT_REGULAR if name in tree.irregular else NO_CLASS))
        else:
            ignored.append(name)
    return Found(entries, set(_classes(found, shape)), ignored, strays, notes=_notes(found, strays))


def empty_classes(root: Path, tree: Tree, hints: Hints = NO_HINTS) -> list[str]:
    """The folders of classes that hold no file in any part. Raises UserError as `read` does."""
    shape = Shape(tree, hints)
    return [
        folder
        for places in _classes(layout(shape, root), shape).values()
        if not shape.populated.union(shape.documented).intersection(f"{one}/" for one in places)
        for folder in places
    ]


def _classes(found: Layout, shape: Shape) -> dict[str, list[str]]:
    """The folders of every class, one of each part."""
    classes: dict[str, list[str]] = {}
    for prefix in sorted(found.roots):
        for name in shape.labelled(prefix):
            classes.setdefault(name, []).append(prefix + name)
    return classes


def _notes(found: Layout, strays: list[tuple[str, str]]) -> list[str]:
    """What was taken for what, where the names of the folders alone do not say it."""
    parts = [f"{part or 'classes'}: {printable(prefix)}" for prefix, part in found.roots.items()]
    notes = [", ".join(sorted(parts))] if list(found.roots) != [""] else []
    if found.unlabelled:
        count = sum(reason == NO_LABEL for _, reason in strays)
        notes.append(f"left out without a label: {_listed(found.unlabelled)} ({count:,} files)")
    return notes


def layout(shape: Shape, root: Path) -> Layout:
    """The layout of a source.

    Raises UserError with the candidates where the layout is ambiguous, where there is no training
    part, or where data.parts does not fit. `root` is for messages.
    """
    everywhere = {name for names in shape.names.values() for name in names}
    everywhere |= {prefix + name for prefix, names in shape.names.items() for name in names}
    _refuse_unknown(set(shape.hints.given) - everywhere, shape, "", root)
    found = _found(shape, root)
    left_out = [
        (prefix, name)
        for prefix in {*found.roots, *_above(found.roots)}
        for name in set(shape.names.get(prefix, [])) - set(shape.labelled(prefix))
    ]
    ignored = {f"{a}{b}/" for a, b in left_out if shape.hints.part(a, b) == IGNORE}
    unlabelled = {*found.unlabelled, *(f"{a}{b}/" for a, b in left_out)} - ignored
    return Layout(found.roots, sorted(unlabelled), sorted(ignored))


def _above(prefixes: Iterable[str]) -> set[str]:
    """All prefixes above some."""
    return {one[: cut.end()] for one in prefixes for cut in re.finditer("^|/", one[:-1])}


def _found(shape: Shape, root: Path) -> Layout:
    hints = shape.hints
    parts = {name for name, part in hints.given.items() if part != IGNORE}
    for prefix in shape.levels(""):
        if not parts and set(shape.labelled(prefix)) & set(hints.classes):
            return Layout({prefix: ""})
        if hints.parts != {} and (found := Parts(shape, prefix, root).layout()):
            return found
        if len(shape.filled(prefix)) > 1:
            break
    else:
        prefix = ""
    _refuse_unknown(parts, shape, prefix, root)
    _refuse_repeated(shape, prefix, root)
    return Layout({prefix: ""})


def _refuse_unknown(names: Iterable[str], shape: Shape, prefix: str, root: Path) -> None:
    if names := sorted(names):
        there = f"{root / prefix} has no folder {_listed(names)}; there are "
        raise UserError(f"params.yaml, data.parts: {there}{_listed(shape.names.get(prefix, []))}.")


class Parts:
    """The folders under a prefix, taken for parts."""

    def __init__(self, shape: Shape, prefix: str, root: Path) -> None:
        self.shape, self.prefix, self.root = shape, prefix, root
        known = shape.populated.union(inner for inner, names in shape.names.items() if names)
        self.names = [name for name in shape.filled(prefix) if f"{prefix}{name}/" in known]
        self.given = {n: part for n in self.names if (part := shape.hints.part(prefix, n))}
        usual = {name: part_of(name) for name in self.names}
        self.parts = {name: part for name, (part, _) in usual.items() if part} | self.given
        alone = (name for name, (_, nothing_else) in usual.items() if nothing_else)
        self.certain = {*alone, *self.given, *counterparts(self.parts)}

    def layout(self) -> Layout | None:
        """The layout of these parts; None where the folders are no parts. Raises UserError."""
        shape, prefix, named = self.shape, self.prefix, list(self.parts)
        others = [name for name in self.names if name not in named]
        holding = [name for name in named if shape.labelled(f"{prefix}{name}/")]
        if not holding:
            if others or not named or not self.certain.issuperset(named):
                return None
            raise BadData(
                f"{self.root / prefix}: no class; {_listed(named)} are parts by their names, and "
                "hold no class folders. {} as data.parts takes them for classes."
            )
        roots = self._class_prefixes(holding)
        if not self._are_parts(roots):
            return None
        known = {IGNORE, *(key for name in self.given for key in (name, prefix + name))}
        given = shape.hints.given.items()
        _refuse_unknown({k for k, part in given if not known & {k, part}}, shape, prefix, self.root)
        flat = [name for name in named if name not in roots]
        flat += [name for name in others if self._is_to_predict(name)]
        self._refuse(list(roots), sorted(set(others) - set(flat)))
        parts = {root: self.parts[name] for name, root in roots.items()}
        return Layout(parts, [f"{prefix}{name}/" for name in flat])

    def _is_to_predict(self, name: str) -> bool:
        levels = list(self.shape.levels(f"{self.prefix}{name}/"))
        return len(levels) == 1 and bool(PREDICTION_WORDS.intersection(words(name)))

    def _class_prefixes(self, names: list[str]) -> dict[str, str]:
        """The prefix of the class folders of every part: where the training part's classes are.

        A part is left out that holds one folder of another name such as `images` or `unknown`.
        """
        shape = self.shape
        training = [name for name in names if self.parts[name] == TRAIN] or names
        classes = shape.hints.classes
        first = shape.class_prefix(f"{self.prefix}{training[0]}/", classes)
        known = set(classes or shape.labelled(first))
        roots = {name: shape.class_prefix(f"{self.prefix}{name}/", known) for name in names}
        return {
            name: root
            for name, root in roots.items()
            if self.parts[name] == TRAIN
            or known.intersection(inner := shape.labelled(root))
            or len(inner) > 1
            or not (is_filler(inner[0]) or part_of(inner[0])[0] == self.parts[name])
        }

    def _are_parts(self, roots: dict[str, str]) -> bool:
        """Whether the names alone say so, or two such folders hold folders of the same names."""
        if self.certain.intersection(roots):
            return True
        shape = self.shape
        deep = not shape.hints.nested_groups or all(map(shape.all_nested, roots.values()))
        seen = Counter(name for root in roots.values() for name in shape.labelled(root))
        return deep and max(seen.values(), default=0) > 1

    def _refuse(self, holding: list[str], others: list[str]) -> None:
        """Raise UserError where folders beside the parts, or two of one part, leave a doubt."""
        where = self.root / self.prefix
        if others:
            raise BadData(
                f"{where}: ambiguous; {_listed(holding)} could be parts or classes, beside "
                f"{_listed(others)}. Say in data.parts what these are (train, validation, test or "
                f"ignore), such as {{{printable(self.prefix + others[0])}: ignore}}; {{}} there "
                "means that no folder is a part."
            )
        for part in PARTS:
            same = [name for name in holding if self.parts[name] == part]
            if len(set(same) - set(self.given)) > 1 or (len(same) > 1 and not self.given):
                raise BadData(
                    f"{where}: ambiguous; {_listed(same)} could each be the {part} part. Say in "
                    "data.parts what each is (train, validation, test or ignore)."
                )
        if TRAIN not in {self.parts[name] for name in holding}:
            raise BadData(
                f"{where}: there is {_listed(holding)} but no train/; a model needs training "
                "pictures. data.parts says which folder is which part."
            )


def _refuse_repeated(shape: Shape, prefix: str, root: Path) -> None:
    """Refuse folders that all hold folders of the same names: which are the classes?"""
    names = shape.filled(prefix)
    below = [shape.names.get(f"{prefix}{name}/", []) for name in names]
    if shape.hints.parts == {} or len(names) < 2 or not all(below):
        return
    inner = {name for several in below for name in several}
    if all(part_of(name)[1] for name in inner):
        raise BadData(
            f"{root / prefix}: ambiguous; {_listed(names)} each hold parts ({_listed(inner)}). Put "
            "the parts above the classes, or use a manifest.csv; {} as data.parts mixes them."
        )
    flat = not any(f"{prefix}{name}/" in shape.direct for name in names)
    same = len(set.intersection(*map(set, below))) > 1 and len(inner) == max(map(len, below))
    if shape.hints.nested_groups:
        same = same and all(shape.all_nested(f"{prefix}{name}/") for name in names)
    groups = are_numbered(inner) and not (are_numbered(names) or all(map(str.isdigit, names)))
    if flat and same and not groups:
        raise BadData(
            f"{root / prefix}: ambiguous; the classes could be {_listed(names)}, or "
            f"{_listed(inner)} below each of them. List the classes in data.classes, or say in "
            "data.parts what the upper folders are, for example "
            f"{{{printable(prefix + names[0])}: train}}; {{}} there means that none is a part."
        )


def _listed(names: Iterable[str], most: int = 5) -> str:
    listed = [f"{printable(name).rstrip('/')}/" for name in sorted(names)]
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")
