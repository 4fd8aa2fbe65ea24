"""Class folders, alone or below parts, recognised by their names and structure."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from trackbed.dataset.folders import Hints, Layout, Shape, Tree
from trackbed.dataset.schema import (
    BAD_NAME,
    IGNORE,
    NO_CLASS,
    NO_LABEL,
    NOT_REGULAR,
    PARTS,
    PREDICTION_WORDS,
    Entry,
    Found,
    has_bad_name,
    is_document,
    part_of,
    printable,
    words,
)
from trackbed.pipeline.errors import BadData, UserError
from trackbed.pipeline.index import TRAIN

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
            if f"{prefix}{name}/" not in found.ignored:
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
    found = _found(shape, root)
    unlabelled = [
        f"{prefix}{name}/"
        for prefix in {*found.roots, *_above(found.roots)}
        for name in set(shape.names.get(prefix, [])) - set(shape.labelled(prefix))
    ]
    return Layout(found.roots, sorted({*found.unlabelled, *unlabelled}), found.ignored)


def _above(prefixes: Iterable[str]) -> set[str]:
    """All prefixes above some."""
    return {one[: cut.end()] for one in prefixes for cut in re.finditer("^|/", one[:-1])}


def _found(shape: Shape, root: Path) -> Layout:
    hints = shape.hints
    for prefix in shape.levels(""):
        if not hints.parts and set(shape.labelled(prefix)) & set(hints.classes):
            return Layout({prefix: ""})
        if hints.parts != {} and (found := Parts(shape, prefix, root).layout()):
            return found
        if len(shape.filled(prefix)) > 1:
            break
    else:
        prefix = ""
    if hints.parts:
        raise UserError(
            f"params.yaml, data.parts: {root / prefix} has no folder {_listed(hints.parts)}; "
            f"there are {_listed(shape.filled(prefix))}."
        )
    if prefix or len(shape.filled(prefix)) > 1:
        _refuse_repeated(shape, prefix, root)
    return Layout({prefix: ""})


class Parts:
    """The folders under a prefix, taken for parts."""

    def __init__(self, shape: Shape, prefix: str, root: Path) -> None:
        self.shape, self.prefix, self.root = shape, prefix, root
        self.given = {name.strip("/"): part for name, part in (shape.hints.parts or {}).items()}
        self.names = [
            name
            for name in shape.filled(prefix)
            if f"{prefix}{name}/" in shape.populated or shape.names[f"{prefix}{name}/"]
        ]
        usual = {name: part_of(name) for name in self.names}
        self.parts = {name: part for name, (part, _) in usual.items()} | self._named()
        self.certain = {name for name, (_, alone) in usual.items() if alone} | set(self._named())

    def _named(self) -> dict[str, str]:
        """What data.parts says of these folders, by name or by path."""
        names = self.shape.names.get(self.prefix, [])
        both = {name: self.given.get(self.prefix + name, self.given.get(name)) for name in names}
        return {name: part for name, part in both.items() if part}

    def layout(self) -> Layout | None:
        """The layout of these parts; None where the folders are no parts. Raises UserError."""
        shape, prefix = self.shape, self.prefix
        ignored = [name for name, part in self.parts.items() if part == IGNORE]
        named = [name for name in self.names if self.parts[name] in PARTS]
        holding = [name for name in named if shape.labelled(f"{prefix}{name}/")]
        others = [name for name in self.names if name not in (*named, *ignored)]
        if not holding:
            alone = named and not others and self.certain.issuperset(named)
            return (
                Layout({f"{prefix}{name}/": self.parts[name] for name in named}) if alone else None
            )
        roots = self._class_prefixes(holding)
        if not self._are_parts(roots, others):
            return None
        if unknown := set(self.given) - set(self._named()) - self._paths():
            raise UserError(
                f"params.yaml, data.parts: {self.root / prefix} has no folder {_listed(unknown)}; "
                f"there are {_listed(self.names)}."
            )
        unlabelled = [name for name in named if name not in holding]
        unlabelled += [name for name in others if self._is_to_predict(name)]
        self._refuse(holding, sorted(set(others) - set(unlabelled)))
        return Layout(
            {roots[name]: self.parts[name] for name in holding},
            [f"{prefix}{name}/" for name in unlabelled],
            [f"{prefix}{name}/" for name in ignored],
        )

    def _paths(self) -> set[str]:
        return {self.prefix + name for name in self._named()}

    def _is_to_predict(self, name: str) -> bool:
        flat = len(list(self.shape.levels(f"{self.prefix}{name}/"))) == 1
        return flat and bool(PREDICTION_WORDS.intersection(words(name)))

    def _class_prefixes(self, names: list[str]) -> dict[str, str]:
        """The prefix of the class folders of every part: where the training part's classes are."""
        training = [name for name in names if self.parts[name] == TRAIN] or names
        classes = self.shape.hints.classes
        first = self.shape.class_prefix(f"{self.prefix}{training[0]}/", classes)
        known = classes or self.shape.labelled(first)
        return {name: self.shape.class_prefix(f"{self.prefix}{name}/", known) for name in names}

    def _are_parts(self, roots: dict[str, str], others: list[str]) -> bool:
        """Whether the names alone say so, or two such folders hold folders of the same names."""
        if self.certain.intersection(roots):
            return True
        seen = Counter(name for root in roots.values() for name in self.shape.labelled(root))
        return not self.shape.hints.nested_groups and max(seen.values(), default=0) > 1

    def _refuse(self, holding: list[str], others: list[str]) -> None:
        """Raise UserError where folders beside the parts, or two of one part, leave a doubt."""
        where = self.root / self.prefix
        if others:
            raise BadData(
                f"{where}: ambiguous; {_listed(holding)} could be parts or classes, beside "
                f"{_listed(others)}. Say in data.parts what these are, for example "
                f"{{{printable(others[0])}: test}} (train, validation, test or ignore); "
                "{} there means that no folder is a part."
            )
        for part in PARTS:
            same = [name for name in holding if self.parts[name] == part]
            if len(same) > 1 and not set(same) <= set(self._named()):
                raise BadData(
                    f"{where}: ambiguous; {_listed(same)} could each be the {part} part. Say in "
                    f"data.parts what each is (train, validation, test or ignore)."
                )
        found = {self.parts[name] for name in holding}
        if TRAIN not in found:
            raise BadData(
                f"{where}: there is {_listed(holding)} but no train/; a model needs training "
                "pictures. data.parts says which folder is which part."
            )


def _refuse_repeated(shape: Shape, prefix: str, root: Path) -> None:
    """Refuse folders that all hold folders of the same names: which are the classes?"""
    names = shape.filled(prefix)
    below = [shape.names.get(f"{prefix}{name}/", []) for name in names]
    if shape.hints.parts == {} or not all(below):
        return
    if all(part_of(name)[1] for inner in below for name in inner):
        raise BadData(
            f"{root / prefix}: ambiguous; {_listed(names)} each hold parts "
            f"({_listed({name for inner in below for name in inner})}). Put the parts above the "
            "classes, or use a manifest.csv; {} as data.parts mixes them."
        )
    common, largest = set.intersection(*map(set, below)), max(below, key=len)
    flat = not any(f"{prefix}{name}/" in shape.direct for name in names)
    same = all(set(inner) <= set(largest) for inner in below)
    if flat and same and len(common) > 1 and not shape.hints.nested_groups:
        raise BadData(
            f"{root / prefix}: ambiguous; the classes could be {_listed(names)}, or "
            f"{_listed(largest)} below each of them. List the classes in data.classes, or say in "
            f"data.parts what the upper folders are, for example {{{printable(names[0])}: train}}; "
            "{} there means that none is a part."
        )


def _listed(names: Iterable[str], most: int = 5) -> str:
    listed = [f"{printable(name).rstrip('/')}/" for name in sorted(names)]
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")
