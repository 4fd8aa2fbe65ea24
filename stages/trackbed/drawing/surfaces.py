"""What lies between and beside the rails in the sample, seen from above, one function per class.

Every function gives a picture in the sense of `texture`. The classes share their materials on
purpose: weeds on ballast, gravel on asphalt, bare soil in grass, moss between stones.
"""

from collections.abc import Callable

import numpy as np

from trackbed.drawing import materials, texture
from trackbed.drawing.texture import Random, Shape


def asphalt(random: Random, shape: Shape) -> np.ndarray:
    """Grains in tar, worn, patched, cracked and stained; some with gravel or weeds on it."""
    grains = texture.cells(random, shape, random.uniform(1.8, 3.2))
    sparkle = grains.each(random.standard_normal(materials.MANY).astype(np.float32))
    value = 1 + random.uniform(0.04, 0.12) * sparkle
    value += random.uniform(0.05, 0.14) * texture.fractal(random, shape, 70)
    road = texture.shaded(value, materials.grey(random, 0.22, 0.62, warmth=0.05))
    road = _mended(random, road)
    for _ in range(random.integers(0, 7)):
        road = texture.mix(road, road * 0.35, materials.crack(random, shape))
    oil = texture.patches(random, shape, 35, random.choice([0, 0.1, 0.2]))
    road = texture.mix(road, road * 0.65, oil)
    gravel = texture.patches(random, shape, 25, random.choice([0, 0, 0.06, 0.12, 0.2]))
    road = texture.mix(road, _gravel(random, shape), gravel)
    return _with_weeds(random, road, random.choice([0, 0, 0, 0.05, 0.1]))


def ballast(random: Random, shape: Shape) -> np.ndarray:
    """Broken stone, fresh and grey to old and rusty; some with weeds or sand between."""
    tint = materials.grey(random, 0.34, 0.68, warmth=0.07)
    bed = materials.stones(random, shape, random.uniform(4.5, 8), tint)
    rust = texture.patches(random, shape, 60, random.choice([0, 0.3, 0.6]), softness=0.8)
    bed = texture.mix(bed, bed * np.float32([1.05, 0.86, 0.72]), rust)
    sand = texture.patches(random, shape, 40, random.choice([0, 0, 0.1, 0.2]), softness=0.5)
    bed = texture.mix(bed, materials.earth(random, shape), sand * 0.8)
    return _with_weeds(random, bed, random.choice([0, 0, 0.06, 0.12, 0.2]))


def grass(random: Random, shape: Shape) -> np.ndarray:
    """Blades over soil or gravel; some of it worn bare."""
    lawn = materials.blades(random, shape)
    bare = texture.patches(random, shape, 45, random.choice([0, 0.05, 0.12, 0.25]), softness=0.35)
    ground = _gravel if random.random() < 0.5 else materials.earth
    return texture.mix(lawn, ground(random, shape), bare)


def paving(random: Random, shape: Shape) -> np.ndarray:
    """Setts or cobbles of granite, basalt, brick or sandstone; soil or grass in the joints."""
    kinds = [(0.62, 0.6, 0.57), (0.4, 0.41, 0.44), (0.62, 0.45, 0.37), (0.66, 0.58, 0.45)]
    tint = np.float32(kinds[random.integers(len(kinds))]) * random.uniform(0.75, 1.1)
    lay = materials.cobbles if random.random() < 0.25 else materials.setts
    height, tone = lay(random, shape)
    grain = 1 + 0.1 * texture.fractal(random, shape, 6, 3) + 0.1 * texture.noise(random, shape, 50)
    filling = materials.blades if random.random() < 0.4 else materials.earth
    floor = texture.mix(filling(random, shape) * 0.55, texture.shaded(tone * grain, tint), height)
    dirt = texture.patches(random, shape, 40, random.choice([0, 0.1, 0.2]), softness=0.6)
    floor = texture.mix(floor, materials.earth(random, shape), dirt * 0.85)
    return _with_weeds(random, floor, random.choice([0, 0, 0.06, 0.15]))


SURFACES: dict[str, Callable[[Random, Shape], np.ndarray]] = {
    "ASPHALT": asphalt,
    "BALLAST": ballast,
    "GRAS": grass,
    "STONE": paving,
}


def _with_weeds(random: Random, ground: np.ndarray, share: float) -> np.ndarray:
    """The ground with grass or moss on about a share of it."""
    if share == 0:
        return ground
    shape = ground.shape[:2]
    green = materials.blades(random, shape)
    if random.random() < 0.3:
        green = ground * np.float32([0.75, 0.95, 0.5])
    return texture.mix(ground, green, texture.patches(random, shape, 30, share))


def _gravel(random: Random, shape: Shape) -> np.ndarray:
    tint = materials.grey(random, 0.35, 0.65, warmth=0.08)
    return materials.stones(random, shape, random.uniform(4, 7), tint)


def _mended(random: Random, road: np.ndarray) -> np.ndarray:
    """The road with some rectangles of newer or older asphalt, their seams sealed with tar."""
    height, width = road.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for _ in range(random.integers(0, 3)):
        middle, half = random.random(2) * (height, width), random.uniform(12, 60, 2)
        inside = np.minimum(half[0] - np.abs(y - middle[0]), half[1] - np.abs(x - middle[1]))
        road = texture.mix(road, road * random.uniform(0.7, 1.25), texture.ramp(inside, -0.5, 0.5))
        seam = texture.ramp(-np.abs(inside), -2, -0.5) * random.uniform(0, 0.7)
        road = texture.mix(road, road * 0.3, seam)
    return road
