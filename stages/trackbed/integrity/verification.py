"""What differs from the record, where, and what to do: judged from hashes alone."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from trackbed.integrity.dvc_lock import MISSING, FileState, Output

WORKSPACE, CACHE, REMOTE = "workspace", "cache", "remote"
REPAIR = "`trackbed verify --repair`"


class Kind(enum.Enum):
    """How bad a finding is."""

    WRONG = "differs"
    AWAY = "not here"  # it was not pulled; another place holds it, or its stage makes it
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class File:
    """A file of the record: an output, a file in an output folder, or a folder's list."""

    path: str  # in the workspace; that of a list is its folder's, with a slash behind
    name: str  # of its object in cache and remote: the md5, of a list with '.dir' behind
    size: int | None  # bytes, where the record says
    output: Output

    @property
    def md5(self) -> str:
        """The hash that its bytes must have."""
        return self.name.partition(".")[0]

    def is_right(self, seen: FileState | None) -> bool:
        """Whether what was seen is this file as recorded."""
        return seen is not None and seen.md5 == self.md5


@dataclass(frozen=True)
class Copies:
    """What was seen of a file; None: nobody looked, or it is not to be there."""

    workspace: FileState | None = None
    cache: FileState | None = None
    remote: FileState | None = None

    def places(self) -> dict[str, FileState]:
        """Those that were looked at, by place."""
        named = {WORKSPACE: self.workspace, CACHE: self.cache, REMOTE: self.remote}
        return {place: seen for place, seen in named.items() if seen is not None}


@dataclass(frozen=True)
class Checked:
    """A file with its copies."""

    file: File
    copies: Copies
    twin: str | None  # a file in the workspace with the recorded bytes, of whatever name
    output_here: bool  # whether the output that it belongs to is in the workspace at all
    elsewhere: bool  # whether a remote storage that was not asked may hold it
    in_git: bool = False  # only looked up for what is missing and not in the cache

    @property
    def good(self) -> list[str]:
        """The places that hold it as recorded."""
        places = self.copies.places().items()
        return [place for place, seen in places if self.file.is_right(seen)]

    @property
    def is_held(self) -> bool:
        """Whether any place holds its bytes as recorded."""
        return bool(self.good or self.twin)


@dataclass(frozen=True)
class Finding:
    """Something to tell of a file in one place."""

    kind: Kind
    path: str
    where: str
    what: str
    remedy: str
    output: str  # the path of the output that it belongs to
    name: str = ""  # of the object, where it counts: an object may serve several files


def findings(checked: Sequence[Checked]) -> list[Finding]:
    """All there is to tell; an object that several files share is told of once."""
    told: dict[tuple[str, str], Finding] = {}
    for one in checked:
        for finding in _findings(one):
            told.setdefault((finding.where, finding.name or finding.path), finding)
    return list(told.values())


def unlisted(path: str, output: Output) -> Finding:
    """A file in an output folder whose list does not have it."""
    meant = f"`dvc repro {output.stage}`" if output.made else f"`dvc add {output.path}`"
    remedy = f"If it belongs there, {meant}; if not, delete it."
    return Finding(Kind.WRONG, path, WORKSPACE, "not listed", remedy, output.path)


def defect(seen: FileState, size: int | None) -> str:
    """What is wrong with a file of that many bytes by the record (None: it does not say)."""
    if seen.md5 is None:
        return f"unreadable ({seen.error})" if seen.error else "missing"
    if size is None:
        return "altered" if seen.size else "cut: nothing left of it"
    return f"cut: {seen.size:,} of {size:,} bytes" if seen.size < size else "altered"


def remake_command(output: Output) -> str:
    """How to get an output that no place holds as recorded."""
    if output.made:
        return f"`dvc repro -f {output.stage}`"
    return f"bring it back from where it came and `dvc add {output.path}`"


def _findings(one: Checked) -> list[Finding]:
    absent = _is_absent(one)
    found = [_absence(one)] if absent else []
    for place, seen in one.copies.places().items():
        if place in one.good or (absent and place != REMOTE):
            continue
        if place == WORKSPACE and seen == MISSING and CACHE not in one.good:
            continue  # what is wrong in the cache says enough
        remedy, name = _remedy(one, place, seen), "" if place == WORKSPACE else one.file.name
        found.append(_finding(one, Kind.WRONG, place, defect(seen, _size(one)), remedy, name))
    return found


def _finding(
    one: Checked, kind: Kind, where: str, what: str, remedy: str, name: str = ""
) -> Finding:
    return Finding(kind, one.file.path, where, what, remedy, one.file.output.path, name)


def _is_absent(one: Checked) -> bool:
    """Whether it is not in the workspace and, unless all of its output is away, not cached."""
    if one.copies.workspace != MISSING:
        return False
    return one.copies.cache in (None, MISSING) or (CACHE in one.good and not one.output_here)


def _absence(one: Checked) -> Finding:
    output = one.file.output
    if one.good:
        command = "checkout" if CACHE in one.good else "pull"
        remedy = f"`dvc {command} {output.path}` if it is needed."
        return _finding(one, Kind.AWAY, WORKSPACE, "not here", remedy)
    if not output.cached and output.made and not one.in_git:
        remedy = f"`dvc repro {output.stage}` makes it if it is needed."
        return _finding(one, Kind.AWAY, WORKSPACE, "not here", remedy)
    if not output.cached:
        return _finding(one, Kind.WRONG, WORKSPACE, "missing", _from_git(output))
    if one.elsewhere:
        remedy = f"`dvc pull {output.path}`; `trackbed verify --remote` tells whether it can."
        return _finding(one, Kind.UNKNOWN, WORKSPACE, "neither here nor in the cache", remedy)
    remedy = f"No place holds it: {remake_command(output)}."
    return _finding(one, Kind.WRONG, WORKSPACE, "missing", remedy)


def _remedy(one: Checked, place: str, seen: FileState) -> str:
    output = one.file.output
    if not output.cached:
        return _from_git(output)
    if one.is_held and place == REMOTE:
        return "`trackbed verify --repair --remote`."
    if one.is_held and place == WORKSPACE and seen != MISSING:
        meant = f"`dvc repro {output.stage}`" if output.made else f"`dvc add {output.path}`"
        return f"If the change is meant, {meant}; if not, {REPAIR}, which keeps a copy."
    if one.is_held:
        return f"{REPAIR}."
    if one.elsewhere:
        return (
            f"{REPAIR} fetches it if the remote storage has it; if not, {remake_command(output)}."
        )
    # DVC would take the damaged object for what the stage makes, so it has to go first.
    return f"No place holds it as recorded: {REPAIR}, then {remake_command(output)}."


def _from_git(output: Output) -> str:
    return f"`git checkout -- {output.path}` if git has it as recorded; if not, {remake_command(output)}."


def _size(one: Checked) -> int | None:
    """Bytes of the file, by the record or by a copy that is right."""
    if one.file.size is not None:
        return one.file.size
    seen = one.copies.places()
    return next((seen[place].size for place in one.good), None)
