"""Patterns of file names such as 'new/**/*.jpg', which the shell has left alone."""

import glob
import os
from collections.abc import Iterator

ANY_FOLDERS = "**"


def is_pattern(text: str) -> bool:
    """Whether a text has signs of a pattern."""
    return glob.has_magic(text)


def matches(pattern: str) -> list[str]:
    """The paths that a pattern matches, each one once, links that lead nowhere included.

    As glob.glob, but `**` does not follow symbolic links, as in shells: two links to a folder above
    would else have no end. `**` at the end stands for the folder. A name that is no pattern
    matches nothing.
    """
    return list(dict.fromkeys(_matches(pattern))) if is_pattern(pattern) else []


def _matches(pattern: str) -> Iterator[str]:
    parts = pattern.split("/")
    if ANY_FOLDERS not in parts:
        yield from glob.glob(pattern)
        return
    place = parts.index(ANY_FOLDERS)
    above, below = "/".join(parts[:place]), "/".join(parts[place + 1 :]).lstrip("/")
    for top in _folders(pattern, above, place):
        if not below.strip("*/"):
            yield top or "."
            continue
        for folder in _below(top):
            yield from _matches(os.path.join(glob.escape(folder), below))


def _folders(pattern: str, above: str, place: int) -> list[str]:
    """The folders that the part of a pattern before `**` names; '' is the current one."""
    if place == 0:
        return [""]
    return [one for one in _matches(above) if os.path.isdir(one)] if above else ["/"]


def _below(top: str) -> Iterator[str]:
    """A folder and all in it that are not hidden, without following links."""
    for folder, inner, _ in os.walk(top or "."):
        inner[:] = [name for name in inner if not name.startswith(".")]
        yield folder if top else folder[len("./") :]
