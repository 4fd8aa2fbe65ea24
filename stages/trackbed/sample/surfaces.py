"""Surfaces between and beside the rails of the sample, seen from above: materials and classes."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from trackbed.sample import texture
from trackbed.sample.texture import Random, Shape

MANY = 4096  # different values for the cells of a picture; beyond, they come again


def grey(random: Random, dark: float, light: float, warmth: float) -> np.ndarray:
    """A grey between two values, a little brown, blue or green."""
    tint = random.uniform(-0.3, 1) * warmth
    green = random.uniform(-0.2, 0.4) * warmth
    return np.float32([1 + tint, 1 + green, 1 - tint]) * random.uniform(dark, light)


def earth(random: Random, shape: Shape) -> np.ndarray:
    """Soil or sand."""
    tint = np.float32([0.45, 0.37, 0.28]) * random.uniform(0.7, 1.25)
    return texture.shaded(1 + 0.3 * texture.fractal(random, shape, 12), tint)


def stones(
    random: Random, shape: Shape, side: float, tint: np.ndarray, seen: texture.Seen = ...
) -> np.ndarray:
    """Broken stones of two sizes, the larger ones on top here and there.

    Of all pixels, or as one row of those that are seen.
    """
    small = _broken(random, shape, side * 0.7, seen)[0]
    large, whole = _broken(random, shape, side * 1.25, seen)
    on_top = whole.each(random.random(MANY) < 0.45) * texture.ramp(whole.rim, 0.2, 1.2)
    value = small + (large - small) * on_top
    hue = whole.each(random.normal(0, 0.05, MANY).astype(np.float32))
    return texture.shaded(value, tint) * (1 + texture.shaded(hue, [1, 0.2, -1]))


def _broken(
    random: Random, shape: Shape, side: float, seen: texture.Seen
) -> tuple[np.ndarray, texture.Cells]:
    """Brightness of stones, each of its own grey with lit and dark faces, and their cells."""
    whole, faces = (texture.cells(random, shape, part, seen=seen) for part in (side, side * 0.6))
    tone, slope, fall, depth = random.uniform(-1, 1, (4, MANY)).astype(np.float32)
    value = 1.05 + 0.25 * whole.each(tone) + 0.16 * faces.each(tone)
    value += 0.55 * (whole.each(slope) * whole.right + (whole.each(fall) - 0.5) * whole.down)
    gap = 0.55 + 0.3 * whole.each(depth)
    return value * (1 - gap * texture.ramp(-whole.rim, -side * 0.22, 0.2)), whole


def blades(random: Random, shape: Shape) -> np.ndarray:
    """Grass from fresh green to straw, drawn blade by blade at twice the size."""
    return _strokes(shape, *_blades(random, shape))


def _blades(random: Random, shape: Shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colour of the ground, and lines and colours of the blades, for `_strokes`."""
    height, width = 2 * shape[0], 2 * shape[1]
    fresh, straw = np.float32([0.33, 0.47, 0.2]), np.float32([0.66, 0.58, 0.38])
    dryness = random.choice([0.1, 0.4, 0.9]) + random.uniform(-0.15, 0.15)
    longest = random.uniform(5, 17)
    count = int(height * width / longest / 2.6)
    places = random.random((count, 2)) * (width, height)
    tips = places + (random.normal(0, 1, (count, 2)) + random.normal(0, 0.7, 2)) * longest / 2
    column, row = (places / 2).astype(int).T
    dry = (dryness + 0.45 * texture.fractal(random, shape, 50, 3))[row, column]
    share = np.clip(dry + random.normal(0, 0.15, count), 0, 1)[:, None]
    colours = (fresh + (straw - fresh) * share) * random.uniform(0.45, 1.35, (count, 1))
    lines = np.concatenate([places, tips], axis=1)
    ground = (fresh + (straw - fresh) * dryness) * 0.5
    return ground, lines, colours


def setts(random: Random, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Hewn stones in rows, straight, slanted or in arcs: 1 on a stone, 0 in a joint; their tone."""
    wide = random.uniform(11, 22)
    high = wide * random.uniform(0.6, 1)
    x, y = _turned(random, shape, random.choice([0, 0, np.pi / 2, np.pi / 4]))
    x += 1.3 * texture.noise(random, shape, wide * 0.8)
    y += 1.3 * texture.noise(random, shape, wide * 0.8)
    if random.random() < 0.3:
        y -= random.uniform(15, 30) * np.abs(np.sin(x * np.pi / random.uniform(70, 110)))
    row = np.floor(y / high).astype(int)
    along = x / wide + random.random(MANY).astype(np.float32)[row % MANY]
    column = np.floor(along).astype(int)
    across = np.abs(along - column - 0.5) * wide
    down = (y / high - row - 0.5) * high
    rim = np.minimum(wide / 2 - across, high / 2 - np.abs(down))
    joint = random.uniform(0.4, 1.2)
    tone = random.uniform(-1, 1, MANY).astype(np.float32)[(row * 61 + column * 157) % MANY]
    value = 1 + random.uniform(0.06, 0.22) * tone - 0.18 * down / high
    return texture.ramp(rim, joint - 0.3, joint + 1.4), value


def cobbles(random: Random, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Round stones: 1 on a stone, 0 in a joint; their tone."""
    side = random.uniform(9, 15)
    heads = texture.cells(random, shape, side, jitter=random.uniform(0.25, 0.6))
    tone = heads.each(random.uniform(-1, 1, MANY).astype(np.float32))
    value = 1 + random.uniform(0.06, 0.22) * tone - 0.3 * heads.down
    return texture.ramp(heads.rim, side * 0.06, side * 0.3), value


def crack(random: Random, shape: Shape) -> np.ndarray:
    """A mask with one thin, wandering line, 0 to 1."""
    steps = random.normal(0, 5, (60, 2)) + random.normal(0, 5, 2)
    path = random.random(2) * shape[::-1] + np.cumsum(steps, axis=0)
    mask = Image.new("L", (2 * shape[1], 2 * shape[0]))
    ImageDraw.Draw(mask).line((2 * path).ravel().tolist(), fill=255, width=random.integers(1, 5))
    return np.asarray(mask.reduce(2), np.float32) / 255


def _turned(random: Random, shape: Shape, angle: float) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * cosine + y * sine, y * cosine - x * sine


def _strokes(
    shape: Shape, ground: np.ndarray, lines: np.ndarray, colours: np.ndarray
) -> np.ndarray:
    """Lines (x, y, x, y), at twice the size, in their colours, 0 to 1, on a ground."""
    levels = np.clip(np.vstack([ground, colours]) * 255, 0, 255).astype(np.uint8)
    picture = Image.new("RGB", (2 * shape[1], 2 * shape[0]), tuple(levels[0].tolist()))
    # What ImageDraw.Draw.line does for every line, after it has looked at the kind of its colour.
    draw = ImageDraw.Draw(picture).draw
    inks = levels[1:] @ np.array([1, 2**8, 2**16])
    for line, ink in zip(lines.tolist(), inks.tolist(), strict=True):
        draw.draw_lines(line, ink, 2)
    return np.asarray(picture.reduce(2), np.float32) / 255


def asphalt(random: Random, shape: Shape) -> np.ndarray:
    """Grains in tar, worn, patched, cracked and stained; some with gravel or weeds on it."""
    grains = texture.cells(random, shape, random.uniform(1.8, 3.2))
    sparkle = grains.each(random.standard_normal(MANY).astype(np.float32))
    value = 1 + random.uniform(0.04, 0.12) * sparkle
    value += random.uniform(0.05, 0.14) * texture.fractal(random, shape, 70)
    road = texture.shaded(value, grey(random, 0.22, 0.62, warmth=0.05))
    road = _with_patches(random, road)
    for _ in range(random.integers(0, 7)):
        road = texture.mix(road, road * 0.35, crack(random, shape))
    oil = texture.patches(random, shape, 35, random.choice([0, 0.1, 0.2]))
    road = texture.mix(road, road * 0.65, oil)
    gravel = texture.patches(random, shape, 25, random.choice([0, 0, 0.06, 0.12, 0.2]))
    road = _with_gravel(random, road, gravel)
    return _with_weeds(random, road, random.choice([0, 0, 0, 0.05, 0.1]))


def ballast(random: Random, shape: Shape) -> np.ndarray:
    """Broken stone, fresh and grey to old and rusty; some with weeds or sand between."""
    tint = grey(random, 0.34, 0.68, warmth=0.07)
    bed = stones(random, shape, random.uniform(4.5, 8), tint)
    rust = texture.patches(random, shape, 60, random.choice([0, 0.3, 0.6]), softness=0.8)
    bed = texture.mix(bed, bed * np.float32([1.05, 0.86, 0.72]), rust)
    sand = texture.patches(random, shape, 40, random.choice([0, 0, 0.1, 0.2]), softness=0.5)
    bed = texture.mix(bed, earth(random, shape), sand * 0.8)
    return _with_weeds(random, bed, random.choice([0, 0, 0.06, 0.12, 0.2]))


def grass(random: Random, shape: Shape) -> np.ndarray:
    """Blades over soil or gravel; some of it worn bare."""
    lawn = blades(random, shape)
    bare = texture.patches(random, shape, 45, random.choice([0, 0.05, 0.12, 0.25]), softness=0.35)
    if random.random() < 0.5:
        return _with_gravel(random, lawn, bare)
    return texture.mix(lawn, earth(random, shape), bare)


def paving(random: Random, shape: Shape) -> np.ndarray:
    """Setts or cobbles of granite, basalt, brick or sandstone; soil or grass in the joints."""
    kinds = [(0.62, 0.6, 0.57), (0.4, 0.41, 0.44), (0.62, 0.45, 0.37), (0.66, 0.58, 0.45)]
    tint = np.float32(kinds[random.integers(len(kinds))]) * random.uniform(0.75, 1.1)
    lay = cobbles if random.random() < 0.25 else setts
    height, tone = lay(random, shape)
    grain = 1 + 0.1 * texture.fractal(random, shape, 6, 3) + 0.1 * texture.noise(random, shape, 50)
    filling = blades if random.random() < 0.4 else earth
    floor = texture.mix(filling(random, shape) * 0.55, texture.shaded(tone * grain, tint), height)
    dirt = texture.patches(random, shape, 40, random.choice([0, 0.1, 0.2]), softness=0.6)
    floor = texture.mix(floor, earth(random, shape), dirt * 0.85)
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
    soil, lines, colours = _blades(random, shape)
    mossy = random.random() < 0.3
    mask = texture.patches(random, shape, 30, share)
    if mossy:
        return texture.mix(ground, ground * np.float32([0.75, 0.95, 0.5]), mask)
    seen = _touching(lines, mask > 0)
    return texture.mix(ground, _strokes(shape, soil, lines[seen], colours[seen]), mask)


def _touching(lines: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Which lines, at twice the size of the mask, may touch it: by the boxes around them."""
    counts = np.pad(seen.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    ends = lines.reshape(-1, 2, 2) / 2
    limits = seen.shape[::-1]
    left, top = np.clip(np.floor(ends.min(axis=1)) - 2, 0, limits).astype(int).T
    right, bottom = np.clip(np.ceil(ends.max(axis=1)) + 3, 0, limits).astype(int).T
    inside = counts[bottom, right] - counts[top, right] - counts[bottom, left] + counts[top, left]
    return inside > 0


def _with_gravel(random: Random, ground: np.ndarray, mask: np.ndarray) -> np.ndarray:
    tint = grey(random, 0.35, 0.65, warmth=0.08)
    seen, gravel = mask > 0, np.zeros_like(ground)
    gravel[seen] = stones(random, mask.shape, random.uniform(4, 7), tint, seen)
    return texture.mix(ground, gravel, mask)


def _with_patches(random: Random, road: np.ndarray) -> np.ndarray:
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
