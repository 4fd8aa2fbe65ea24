"""Names and numbers as text for the report."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

NOT_AVAILABLE = "n/a"
MOST_RANGES = 40
# Control characters, lone surrogates and unassigned code points are not allowed in XML or UTF-8.
UNPRINTABLE = {"Cc", "Cs", "Cn"}
# An underscore inside a word means nothing in Markdown.
MARKDOWN_SYMBOLS = re.compile(r"[\\`*\[\]|~$#]|(?<!\w)_|_(?!\w)")
MARKDOWN_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def name(text: str, most: int = 80) -> str:
    """A class or file name of any origin in one line of at most `most` characters.

    What is too long loses its middle: the ends tell names apart. Wide (East Asian) characters
    count twice.
    """
    line = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in UNPRINTABLE else character
        for character in " ".join(text.split())
    )
    if _columns(line) <= most:
        return line
    head, tail = line, line
    while _columns(head) > most // 2:
        head = head[:-1]
    while _columns(tail) > most - most // 2 - 1:
        tail = tail[1:]
    return f"{head}…{tail}"


def quoted(text: str, most: int = 60) -> str:
    """A name as `name` gives it, in quotation marks."""
    return f"“{name(text, most)}”"


def listed(parts: Sequence[str], most: int) -> str:
    """Up to `most` parts with commas between them: 'a, b and 3 more'."""
    rest = len(parts) - most
    return ", ".join(parts[:most]) + (f" and {rest} more" if rest > 0 else "")


def share(value: float | None, digits: int = 3) -> str:
    """A score from 0 to 1 with a fixed number of decimals, or 'n/a'."""
    return NOT_AVAILABLE if _missing(value) else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    """A difference with its sign and a fixed number of decimals, or 'n/a'."""
    return NOT_AVAILABLE if _missing(value) else f"{value:+.{digits}f}"


def interval(scores: Mapping[str, Any], score: str, digits: int = 3) -> str:
    """The 95 % interval of a score, '0.893 to 0.934'; '' where `scores` hold none."""
    low, high = scores.get(f"{score}_low"), scores.get(f"{score}_high")
    if low is None or high is None:
        return ""
    return f"{share(low, digits)} to {share(high, digits)}"


def percent(value: float | None) -> str:
    """A share from 0 to 1 as percent with one decimal, or 'n/a'."""
    return NOT_AVAILABLE if _missing(value) else f"{100 * value:.1f} %"


def count(value: float | None) -> str:
    """A whole number with commas between thousands, or 'n/a'."""
    return NOT_AVAILABLE if _missing(value) else f"{round(value):,}"


def number(value: float | None, digits: int = 4) -> str:
    """A number of any size with so many significant digits, or 'n/a'; from 10,000 to a billion
    with all its digits before the point.
    """
    if _missing(value):
        return NOT_AVAILABLE
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.{digits}g}"


def ranges(epochs: Sequence[int]) -> str:
    """Sorted epochs, consecutive ones as a range, at most MOST_RANGES: '1-11, 13-15, 17'."""
    parts: list[list[int]] = []
    for epoch in epochs:
        if parts and epoch == parts[-1][-1] + 1:
            parts[-1].append(epoch)
        else:
            parts.append([epoch])
    texts = [f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts]
    return listed(texts, MOST_RANGES)


def duration(seconds: float | None) -> str:
    """Seconds as the largest two units that matter: '42.0 s', '3 min 20 s', '2 h 5 min'."""
    if _missing(seconds):
        return NOT_AVAILABLE
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def plural(number: float, word: str) -> str:
    """A count with its noun: '1 image', '1,200 images', '2 classes'."""
    ending = "" if number == 1 else "es" if word.endswith("s") else "s"
    return f"{count(number)} {word}{ending}"


def markdown(value: Any) -> str:
    """Text that Markdown shows as it stands, in a paragraph and in a cell of a table."""
    text = " ".join(str(value).split())
    for symbol, entity in MARKDOWN_ENTITIES.items():
        text = text.replace(symbol, entity)
    return MARKDOWN_SYMBOLS.sub(r"\\\g<0>", text)


def _missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
