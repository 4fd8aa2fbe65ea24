"""Noise, patches and cells, from which the surfaces of the sample are made.

A shape is (height, width) in pixels; a picture is float, shape (height, width, 3), 0 to 1.
"""

from dataclasses import dataclass
from types import EllipsisType

import numpy as np
from PIL import Image

Shape = tuple[int, int]
Random = np.random.Generator
Seen = np.ndarray | EllipsisType  # a mask, bool, of the pixels that are wanted; ... for all


def noise(random: Random, shape: Shape, cell: float, stretch: float = 1) -> np.ndarray:
    """Smooth noise around 0, about -1 to 1, float32; its spots are `cell` pixels wide.

    They are `stretch` times as high as wide.
    """
    rows, columns = (int(shape[0] / cell / stretch) + 4, int(shape[1] / cell) + 4)
    grid = Image.fromarray(random.uniform(-1, 1, (rows, columns)).astype(np.float32))
    box = (1, 1, 1 + shape[1] / cell, 1 + shape[0] / cell / stretch)
    return np.asarray(grid.resize(shape[::-1], Image.Resampling.BICUBIC, box=box))


def fractal(random: Random, shape: Shape, cell: float, octaves: int = 4) -> np.ndarray:
    """Noise on several scales from `cell` pixels down, each half as large and half as strong."""
    return sum(
        noise(random, shape, max(1.0, cell / 2**octave)) / 2**octave for octave in range(octaves)
    )


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth in between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def patches(
    random: Random, shape: Shape, cell: float, share: float, softness: float = 0.25
) -> np.ndarray:
    """A mask, 0 to 1, whose ragged patches cover about `share` of the area."""
    if share <= 0:
        return np.zeros(shape, np.float32)
    heights = fractal(random, shape, cell)
    border = np.quantile(heights, 1 - share)
    return ramp(heights, border - softness / 2, border + softness / 2)


def mix(below: np.ndarray, above: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Picture or colour `above` on the picture `below` where the mask is 1."""
    # NumPy is slow at repeating a value three times, so the mask comes in the picture's shape.
    return below + (np.asarray(above, np.float32) - below) * np.stack([mask] * 3, axis=-1)


def shaded(values: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """A picture of one colour (red, green, blue) or of one per pixel, times the values."""
    values, colour = values.astype(np.float32), np.asarray(colour, np.float32)
    return np.stack([values * colour[..., channel] for channel in range(3)], axis=-1)


@dataclass(frozen=True)
class Cells:
    """For every pixel: its cell's number, the way from the cell's centre, how far its rim is.

    The way (right, down) is in cell sides; `rim` is the distance to the second nearest centre
    minus that to the nearest, in pixels.
    """

    number: np.ndarray
    right: np.ndarray
    down: np.ndarray
    rim: np.ndarray

    def each(self, values: np.ndarray) -> np.ndarray:
        """One of the values per cell, at every pixel."""
        return values.take(self.number, mode="wrap")


def cells(
    random: Random, shape: Shape, side: float, jitter: float = 0.9, seen: Seen = ...
) -> Cells:
    """Cells around points that lie on a grid, moved by up to half of `jitter` of its side.

    Of all pixels, or as one row of those that are seen.
    Worley's cellular basis function (SIGGRAPH 1996) on nine candidate points per pixel.
    """
    rows, columns = int(shape[0] / side) + 3, int(shape[1] / side) + 3
    points = (random.random((2, rows, columns)).astype(np.float32) - 0.5) * jitter + 0.5
    points += np.mgrid[:rows, :columns]
    y, x = (np.arange(size, dtype=np.float32) / side + 1 for size in shape)
    y = (y[:, None] + noise(random, shape, side / 2) * 0.12)[seen]
    x = (x + noise(random, shape, side / 2) * 0.12)[seen]
    row, column = np.clip(y, 1, rows - 2).astype(int), np.clip(x, 1, columns - 2).astype(int)
    first = (row - 1) * columns + column - 1
    downs, rights = points.reshape(2, -1)
    steps = np.array([below * columns + beside for below in range(3) for beside in range(3)])
    nearest = np.full(x.shape, np.inf, np.float32)
    second, place = nearest.copy(), np.zeros(x.shape, np.uint8)
    for number, step in enumerate(steps):
        distance = _length(_taken(rights[step:], first) - x, _taken(downs[step:], first) - y)
        np.minimum(second, np.maximum(nearest, distance), out=second)
        np.maximum(place, (distance < nearest) * np.uint8(number), out=place)
        np.minimum(nearest, distance, out=nearest)
    number = first + _taken(steps, place)
    right, down = x - _taken(rights, number), y - _taken(downs, number)
    return Cells(number, right, down, (second - nearest) * side)


def _length(right: np.ndarray, down: np.ndarray) -> np.ndarray:
    """np.hypot of float32, exact to the last bit as that is, in a third of its time."""
    squares = np.square(right, dtype=np.float64)
    squares += np.square(down, dtype=np.float64)
    return np.sqrt(squares, out=squares).astype(np.float32)


def _taken(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """values[index], for an index within them."""
    return values.take(index, mode="clip")
