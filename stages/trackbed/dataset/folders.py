"""The files and folders of a source, and what their names mean."""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from trackbed.pipeline.errors import BadData
from trackbed.pipeline.index import TEST, TRAIN, VALIDATION

IGNORE = "ignore"  # in place of a part
PARTS = (TRAIN, VALIDATION, TEST)
USUAL_NAMES = {
    TRAIN: "train|training|trn|trainval",
    VALIDATION: "val|valid|validation|dev|devel|eval|evaluation",
    TEST: "test|testing|tst",
}
# What stands beside them in the names of parts, in the same word or in another.
FILLERS = "set|dataset|data|images?|imgs?|pictures|photos|files|folder|dir|split|subset|part"
PART_WORDS = {part: re.compile(rf"({names})({FILLERS})?") for part, names in USUAL_NAMES.items()}
# Names without signs, of folders of pictures that nobody labelled: CVAT, FiftyOne, STL-10.
UNLABELLED = re.compile(
    rf"((un|no|not|non)labell?(ed|s)?|unknownlabels?|withoutlabels?|unannotated)({FILLERS})?"
)
# Words in names of folders of pictures to predict, where there are no class folders in them.
PREDICTION_WORDS = {"pred", "predict", "prediction", "predictions", "inference"}
DOCUMENT_NAMES = {"readme", "license", "licence", "copying", "changelog", "citation", "notice"}
DOCUMENT_SUFFIXES = {
    *(".txt", ".md", ".rst", ".html", ".pdf", ".log", ".cff", ".bib", ".names"),
    *(".json", ".yaml", ".yml", ".csv", ".tsv", ".xml", ".py", ".ipynb"),
}
CLUTTER_NAMES = {"__MACOSX", "Thumbs.db", "ehthumbs.db", "desktop.ini", "@eaDir", "lost+found"}
CLUTTER_NAMES |= {"$RECYCLE.BIN", "System Volume Information", "__pycache__"}


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


def words(name: str) -> list[str]:
    """The words of a name in lower case; `TrainSet_2` has train and set."""
    return re.findall("[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def part_of(name: str) -> tuple[str, bool]:
    """The part that a name means, '' for none, and whether nothing else stands in the name.

    `training_set` means the training part and nothing else, `seg_test` the test part.
    """
    meanings = [
        next((part for part, word in PART_WORDS.items() if word.fullmatch(one)), "")
        for one in words(name)
    ]
    found = set(meanings) - {""}
    others = [
        one
        for one, meaning in zip(words(name), meanings, strict=True)
        if not meaning and not re.fullmatch(FILLERS, one)
    ]
    return (found.pop(), not others) if len(found) == 1 else ("", False)


def is_unlabelled(name: str) -> bool:
    """Whether a folder of this name holds pictures without a label, such as `no_label`."""
    return bool(UNLABELLED.fullmatch("".join(words(name))))


def is_document(name: str) -> bool:
    """Whether a file is no picture but a text or table that comes with a set, by its name."""
    path = PurePosixPath(name.lower())
    return path.suffix in DOCUMENT_SUFFIXES or path.name in DOCUMENT_NAMES


@dataclass(frozen=True)
class Hints:
    """What the parameters say about a source."""

    classes: Collection[str] = ()  # data.classes
    parts: Mapping[str, str] | None = None  # data.parts: names of folders -> PARTS or IGNORE
    nested_groups: bool = False  # data.group is `folder`


class Shape:
    """The folders of a tree, and where files lie that are no documents."""

    def __init__(self, tree: Tree, hints: Hints) -> None:
        self.hints = hints
        self.names: dict[str, list[str]] = defaultdict(list)  # of the folders under a prefix
        for folder in tree.folders:
            above, slash, name = folder.rpartition("/")
            self.names[above + slash].append(name)
        self.direct: set[str] = set()  # prefixes with a file that is no document
        self.populated: set[str] = set()  # the same, or in folders below
        self.documented: set[str] = set()  # with a document there or below
        for file in tree.files:
            document = is_document(file)
            above = file.rpartition("/")[0]
            while above:
                (self.documented if document else self.populated).add(f"{above}/")
                above = above.rpartition("/")[0]
            if not document:
                self.direct.add(file[: file.rfind("/") + 1])

    def labelled(self, prefix: str) -> list[str]:
        """The folders under a prefix without those of pictures without a label."""
        return [
            name
            for name in self.names.get(prefix, [])
            if name in self.hints.classes or not is_unlabelled(name)
        ]

    def filled(self, prefix: str) -> list[str]:
        """These folders without those that hold documents alone."""
        return [
            name
            for name in self.labelled(prefix)
            if (below := f"{prefix}{name}/") in self.populated or below not in self.documented
        ]

    def levels(self, prefix: str) -> Iterator[str]:
        """A prefix, and those below it as long as one folder alone wraps others."""
        yield prefix
        while len(names := self.filled(prefix)) == 1:
            prefix += f"{names[0]}/"
            inner = self.labelled(prefix)
            deep = not self.hints.nested_groups or all(self.names[f"{prefix}{n}/"] for n in inner)
            if prefix in self.direct or not inner or not deep:
                return
            yield prefix

    def class_prefix(self, prefix: str, classes: Collection[str]) -> str:
        """Where a part has its class folders: at the first level with one of these, or with two."""
        levels = list(self.levels(prefix))
        known = [level for level in levels if set(self.labelled(level)) & set(classes)]
        several = [level for level in levels if len(self.labelled(level)) > 1]
        return [*known, *several, prefix][0]


@dataclass(frozen=True)
class Layout:
    """Which folder holds what; a prefix is empty or ends in a slash."""

    roots: dict[str, str]  # prefix of the folders that hold class folders -> part or ''
    unlabelled: list[str] = field(default_factory=list)  # prefixes of folders that hold no class
    ignored: list[str] = field(default_factory=list)

    def class_folder(self, name: str) -> tuple[str, str]:
        """The class folder that a file lies in, '' for none, and the part."""
        for prefix, part in self.roots.items():
            if name.startswith(prefix) and (cut := name.find("/", len(prefix))) > 0:
                return name[:cut], part
        return "", ""
