"""The groups of new pictures: by their names, their folders, or their manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from trackbed.pipeline.errors import UserError

FOLDER, NONE = "folder", "none"  # in place of a pattern
REMEDY = "--group takes a pattern that matches every name, 'folder', or 'none'."


@dataclass(frozen=True)
class GroupRule:
    """How the group of a picture is found.

    pattern: a regular expression for the base name, whose first (...) is the group, FOLDER, or
    None where nothing is known. per_folder: groups of two folders are two. source: for messages.
    """

    pattern: str | None
    per_folder: bool = False
    source: str = "--group"

    def groups(self, names: Sequence[str]) -> list[str]:
        """The groups of pictures, whose names are relative to the folder, in their order.

        Without a pattern every picture is its own group. Raises UserError for a wrong pattern, and
        for names that it does not match.
        """
        if self.pattern is None:
            return list(names)
        found = [self._group(name) for name in names]
        if without := [name for name, group in zip(names, found, strict=True) if not group]:
            what = "lie in no folder" if self.pattern == FOLDER else "do not match"
            raise UserError(
                f"{self.source}: {self.pattern!r}: {len(without):,} of {len(names):,} pictures "
                f"{what}, such as {', '.join(without[:3])}. {REMEDY}"
            )
        if not self.per_folder:
            return found
        return [f"{_folder(name)}/{group}" for name, group in zip(names, found, strict=True)]

    def _group(self, name: str) -> str:
        if self.pattern == FOLDER:
            return _folder(name)
        try:
            match = re.search(self.pattern, PurePosixPath(name).name)
        except re.error as error:
            raise UserError(
                f"{self.source}: not a regular expression ({error}), got {self.pattern!r}."
            ) from None
        if match is None:
            return ""
        return (match[1] if match.re.groups else match[0]) or ""


def rule(option: str | None, description: Mapping[str, Any]) -> GroupRule:
    """The rule of the option --group, else that of the data that the model was trained on.

    description: of the exported model. Pictures of a class in a folder of its own count as its
    class for `data.group_per_class`.
    """
    pictures = description["pictures"]
    if option is not None:
        return GroupRule(None if option == NONE else option)
    return GroupRule(pictures["group"], pictures["group_per_class"], "data.group of the model")


def _folder(name: str) -> str:
    folder = str(PurePosixPath(name).parent)
    return "" if folder == "." else folder
