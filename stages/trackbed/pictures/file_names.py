"""Names of files that are safe to print."""

import re

# Control characters (C0, delete, C1), line separators, and Unicode's marks of direction.
UNSAFE_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def has_bad_name(name: str) -> bool:
    """Whether a name of the file system is not UTF-8 or holds unsafe characters.

    These are control characters, the two line separators of Unicode, and what turns the
    direction of a text, so that `a<U+202E>gpj.exe` looks like `aexe.jpg`.
    """
    return printable(name) != name


def printable(name: str) -> str:
    """A name of the file system, in which unsafe characters are escaped, as in `\\xff`."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return UNSAFE_CHARACTERS.sub(lambda found: _escaped(ord(found[0])), text)


def _escaped(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
