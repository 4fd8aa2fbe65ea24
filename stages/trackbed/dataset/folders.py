"""The files and folders of a source, and what their names mean."""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from trackbed.dataset.schema import IGNORE, is_document, is_unlabelled
from trackbed.pipeline.errors import BadData, UserError

# In lower case.
CLUTTER_NAMES = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "lost+found"}
CLUTTER_NAMES |= {"$recycle.bin", "#recycle", "@recycle", "system volume information"}
CLUTTER_NAMES |= {"__pycache__"}
DVC_FOLDER = ".dvc"
# The name of an object in a cache, of DVC 3 and of versions before.
OBJECT = re.compile(r"(files/[a-z0-9]+/)?[0-9a-f]{2}/[0-9a-f]{30}")


@dataclass(frozen=True)
class Tree:
    """Everything in a folder, by names relative to it; symbolic links are not followed.

    Links that DVC made into its cache are no links here, but the files that it tracks.
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # hidden files and clutter
    irregular: set[str] = field(default_factory=set)  # neither a regular file nor a folder
    cached: dict[str, Path] = field(default_factory=dict)  # links of DVC -> the files in its cache

    def path(self, root: Path, name: str) -> Path:
        """Where the bytes of a file lie; `root` is the folder."""
        return self.cached.get(name, root / name)

    def inside(self, prefix: str) -> list[str]:
        """The folders directly under a prefix, which is empty or ends in a slash."""
        rest = (name[len(prefix) :] for name in self.folders if name.startswith(prefix))
        return [name for name in rest if "/" not in name]


def is_clutter(name: str) -> bool:
    """Whether a file or folder belongs to an operating system or to DVC, or is hidden."""
    return name.startswith(".") or name.lower() in CLUTTER_NAMES or name.endswith(".dvc")


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
    waiting, links = [("", False)], CacheLinks(root)
    while waiting:
        prefix, hidden = waiting.pop()
        with os.scandir(root / prefix) as items:
            for item in items:
                name = prefix + item.name
                clutter = hidden or is_clutter(item.name)
                if item.is_dir(follow_symlinks=False):
                    waiting.append((name + "/", clutter))
                    if not clutter:
                        tree.folders.append(name)
                    continue
                (tree.ignored if clutter else tree.files).append(name)
                if item.is_symlink() and (target := links.target(root / name)):
                    tree.cached[name] = target
                elif not item.is_file(follow_symlinks=False):
                    tree.irregular.add(name)


class CacheLinks:
    """The links into the caches of the DVC projects around a folder and the current one.

    A cache may be shared or external, as `cache.dir` of the settings says. The settings are read
    when the first link is asked for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def target(self, link: Path) -> Path | None:
        """The cached file that a symbolic link names; None for a link elsewhere.

        Raises UserError if the settings of DVC cannot be read.
        """
        try:
            given = link.parent / link.readlink()
            path = given.parent.resolve(strict=True) / given.name
        except (OSError, RuntimeError):  # it leads nowhere, or to itself
            return None
        names = [
            path.relative_to(cache).as_posix()
            for cache in self._caches
            if path.is_relative_to(cache)
        ]
        is_file = path.is_file() and not path.is_symlink()
        return path if is_file and any(map(OBJECT.fullmatch, names)) else None

    @cached_property
    def _caches(self) -> list[Path]:
        starts = (self.folder.absolute(), self.folder.resolve(), Path.cwd())
        roots = {root for start in starts if (root := _project(start))}
        return sorted(map(_cache, roots))


def _project(start: Path) -> Path | None:
    """The nearest DVC project at or above a path."""
    return next((one for one in (start, *start.parents) if (one / DVC_FOLDER).is_dir()), None)


def _cache(project: Path) -> Path:
    try:
        from dvc.config import Config
        from dvc.exceptions import DvcException
    except ModuleNotFoundError:  # where nothing but predicting is installed
        return (project / DVC_FOLDER / "cache").resolve()
    try:
        settings = Config(str(project / DVC_FOLDER), validate=False)
    except DvcException as error:
        raise UserError(
            f"{project / DVC_FOLDER}: DVC's settings cannot be read ({error})."
        ) from None
    given = settings.get("cache", {}).get("dir")
    return Path(given or project / DVC_FOLDER / "cache").resolve()


@dataclass(frozen=True)
class Hints:
    """What the parameters say about a source."""

    classes: Collection[str] = ()  # data.classes
    parts: Mapping[str, str] | None = None  # data.parts: names of folders -> PARTS or IGNORE
    nested_groups: bool = False  # data.group is `folder`

    @cached_property
    def given(self) -> dict[str, str]:
        """The parts that data.parts gives to names and paths of folders."""
        return {name.strip("/"): part for name, part in (self.parts or {}).items()}

    def part(self, prefix: str, name: str) -> str:
        """What data.parts says of the folder of a name under a prefix, '' for nothing."""
        return self.given.get(prefix + name) or self.given.get(name, "")


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
        """The folders under a prefix without those to ignore and those without a label."""
        return [
            name
            for name in self.names.get(prefix, [])
            if self.hints.part(prefix, name) != IGNORE
            and (name in self.hints.classes or not is_unlabelled(name))
        ]

    def filled(self, prefix: str) -> list[str]:
        """These folders without those that hold documents alone."""
        return [
            name
            for name in self.labelled(prefix)
            if (below := f"{prefix}{name}/") in self.populated or below not in self.documented
        ]

    def all_nested(self, prefix: str) -> bool:
        """Whether each of these folders holds folders."""
        return all(self.names.get(f"{prefix}{name}/") for name in self.labelled(prefix))

    def levels(self, prefix: str) -> Iterator[str]:
        """A prefix, and those below it as long as one folder alone wraps others."""
        yield prefix
        while len(names := self.filled(prefix)) == 1:
            prefix += f"{names[0]}/"
            inner = self.labelled(prefix)
            deep = not self.hints.nested_groups or self.all_nested(prefix)
            if prefix in self.direct or not inner or not deep:
                return
            yield prefix

    def class_prefix(self, prefix: str, classes: Collection[str]) -> str:
        """Where a part has its class folders: at the first level with one of these, or with two."""
        levels = list(self.levels(prefix))
        known = [level for level in levels if set(self.labelled(level)) & set(classes)]
        several = [level for level in levels if len(self.labelled(level)) > 1]
        return [*known, *several, prefix][0]


def are_numbered(names: Iterable[str]) -> bool:
    """Whether names differ in numbers alone, such as drive1 and drive2, or dates."""
    forms = {re.sub("[0-9]+", "0", name) for name in names}
    return len(forms) == 1 and "0" in (form := forms.pop()) and form != "0"


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
