"""The order in which people read names: 2.jpg before 10.jpg."""

import re
from collections.abc import Iterable

NUMBER = re.compile("([0-9]+)")


def sorted_naturally(names: Iterable[str]) -> list[str]:
    """Paths in order, folder by folder; digits compare as numbers, all else by code point."""
    return sorted(names, key=_key)


def _key(name: str) -> tuple[list[list[str | int]], str]:
    parts = [NUMBER.split(part) for part in name.split("/")]
    # Text and numbers alternate, and text comes first.
    keys = [[int(p) if place % 2 else p for place, p in enumerate(part)] for part in parts]
    return keys, name
