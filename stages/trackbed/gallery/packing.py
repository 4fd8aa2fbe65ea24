"""Numbers and names in few characters of JSON; report_pictures.js unpacks them."""

import base64
import itertools
from collections.abc import Sequence

import numpy as np

LONGEST_SHARED = 99  # characters that a name has in common with the one before it
BMP = "\uffff"  # up to here a character of Python is one of JavaScript


def numbers(values: np.ndarray | Sequence[int]) -> str:
    """Whole numbers from 0 on, little-endian in as few bytes as the highest needs, as base64.

    The first character of the text is the number of bytes of each, 1, 2 or 4.
    """
    given = np.asarray(values, np.int64)
    width = next(one for one in (1, 2, 4) if given.max(initial=0) < 256**one)
    return f"{width}{base64.b64encode(given.astype(f'<u{width}').tobytes()).decode()}"


def names(given: Sequence[str]) -> list[str]:
    """Names without what each has in common with the one before: two digits, how many characters.

    Names that follow one another in a folder mostly differ at the end.
    """
    return [_shortened(*pair) for pair in itertools.pairwise(["", *given])]


def _shortened(before: str, name: str) -> str:
    pairs = zip(before[:LONGEST_SHARED], name, strict=False)
    shared = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    if max(before[:shared], default="") > BMP:
        shared = 0
    return f"{shared:02d}{name[shared:]}"
