"""The reverse of gallery/packing.py, as report_pictures.js does it."""

import base64
import itertools

import numpy as np


def numbers(text):
    return np.frombuffer(base64.b64decode(text[1:]), f"<u{text[0]}").astype(int)


def names(short):
    return list(
        itertools.accumulate(
            short, lambda before, text: before[: int(text[:2])] + text[2:], initial=""
        )
    )[1:]
