"""Which names a class may have; docs/sources.md states the pattern."""

from collections.abc import Iterable
from pathlib import Path

from trackbed import outputs
from trackbed.ingest.entries import shown
from trackbed.problems import BadData

LONGEST = 100  # characters; a column of a report shows no more
# Without a shape of their own, but part of words (Persian) and of signs (emoji).
JOINERS = {"\u200c", "\u200d"}
PATTERN = (
    f"1 to {LONGEST} printable characters, no slash, no blank but the common one, and none at "
    "either end"
)


def fault(name: str) -> str | None:
    """What is wrong with the name of a class, in words, or None."""
    if not name or name != name.strip():
        return "a blank at its beginning or end" if name else "empty"
    if len(name) > LONGEST:
        return f"{len(name)} characters"
    if "/" in name:
        return "a slash"
    for character in name:
        # Nothing that is printable changes the direction or the lines of a text.
        if not character.isprintable() and character not in JOINERS:
            code = ord(character)
            # Python keeps a byte that is no UTF-8 as a surrogate.
            if 0xDC80 <= code <= 0xDCFF:
                return f"not UTF-8, byte {code - 0xDC00:02X}"
            return f"the character U+{code:04X}"
    return "a formula that a spreadsheet would run" if outputs.is_formula(name) else None


def refuse_faults(names: Iterable[str], folder: Path) -> None:
    """Raise BadData for the first of the names that does not match the pattern."""
    for name in names:
        if wrong := fault(name):
            raise BadData(
                f"{folder}: the class {_told(name)} has a name that does not do: {wrong}. "
                f"A class name has {PATTERN}. Rename it."
            )


def _told(name: str) -> str:
    """A name that is safe on a terminal and not too long."""
    return repr("".join(c if c.isprintable() else ascii(c)[1:-1] for c in shown(name[:LONGEST])))
