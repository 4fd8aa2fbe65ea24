"""Rails, sleepers, leaves and shadows over a surface: the track of one drive of the sample."""

import numpy as np
from PIL import Image, ImageDraw

from trackbed.sample import surfaces, texture
from trackbed.sample.texture import Random

# Real widths in units of the gauge, 1,435 mm: spacing and width of sleepers, half the rail's head,
# its foot and the plate under it. The head is a little wider than its real 72 mm, so that it is
# visible in a small picture.
SPACING, SLEEPER, HEAD, FOOT, PLATE = 0.42, 0.18, 0.03, 0.055, 0.11
# How often sleepers show; elsewhere the track is paved over, the rails lie in grooves.
OPEN_TRACK = {"ASPHALT": 0.12, "BALLAST": 0.9, "GRAS": 0.5, "STONE": 0.12}


def track(random: Random, class_name: str, length: int, width: int) -> np.ndarray:
    """A picture of shape (length, width, 3) in the sense of `texture`; the rails run along it."""
    bed = surfaces.SURFACES[class_name](random, (length, width))
    gauge = width * random.uniform(0.48, 0.68)
    middle = width * random.uniform(0.44, 0.56)
    opened = random.random() < OPEN_TRACK[class_name]
    if opened:
        bed = _with_sleepers(random, bed, middle, gauge)
    for side in (-1, 1):
        bed = _with_rail(random, bed, middle + side * gauge / 2, gauge, side, opened)
    if random.random() < 0.2:
        bed = _with_leaves(random, bed)
    return _with_light(random, bed)


def _with_sleepers(random: Random, bed: np.ndarray, middle: float, gauge: float) -> np.ndarray:
    """Sleepers of concrete or wood with plates for the rails, partly covered by the surface."""
    shape = bed.shape[:2]
    y = np.arange(shape[0], dtype=np.float32)[:, None] + random.uniform(0, 100)
    y = y + 0.4 * texture.noise(random, shape, 12)
    off_middle = np.abs((y / gauge / SPACING) % 1 - 0.5) * SPACING * gauge
    inside = SLEEPER * gauge / 2 - off_middle
    covered = texture.patches(random, shape, 14, random.uniform(0.05, 0.45))
    shadow = texture.ramp(inside, -3, 0) * (1 - covered) * 0.5
    bed = texture.mix(bed, bed * 0.35, shadow)
    sleeper = _wood(random, shape) if random.random() < 0.4 else _concrete(random, shape)
    from_rail = np.abs(np.abs(np.arange(shape[1], dtype=np.float32) - middle) - gauge / 2)
    plate = np.minimum(PLATE * gauge - from_rail, inside - 0.03 * gauge)
    sleeper = texture.mix(sleeper, (0.23, 0.19, 0.16), texture.ramp(plate, -0.5, 0.7))
    return texture.mix(bed, sleeper, texture.ramp(inside, -0.5, 0.7) * (1 - covered))


def _wood(random: Random, shape: texture.Shape) -> np.ndarray:
    grain = texture.noise(random, (shape[1], shape[0]), 1.5, stretch=14).T
    value = 1 + 0.3 * grain + 0.15 * texture.fractal(random, shape, 20)
    return texture.shaded(value, np.float32([0.36, 0.3, 0.25]) * random.uniform(0.7, 1.3))


def _concrete(random: Random, shape: texture.Shape) -> np.ndarray:
    value = 1 + 0.12 * texture.fractal(random, shape, 25, 5)
    return texture.shaded(value, np.float32([0.6, 0.58, 0.54]) * random.uniform(0.75, 1.15))


def _with_rail(
    random: Random, bed: np.ndarray, middle: float, gauge: float, side: int, opened: bool
) -> np.ndarray:
    """A rail: on a rusty foot with its shadow, or in the paving with a groove on its inside."""
    shape = bed.shape[:2]
    wander = 0.5 * texture.noise(random, (shape[0], 1), 60)
    right = np.arange(shape[1], dtype=np.float32)[None] - middle + wander
    head, foot = HEAD * gauge, FOOT * gauge
    away = np.abs(right)
    if opened:
        bed = texture.mix(bed, bed * 0.45, texture.ramp(-np.abs(right - 2), -foot - 3, -foot) * 0.8)
        rusty = texture.shaded(1 + 0.25 * texture.noise(random, shape, 4), [0.33, 0.24, 0.18])
        bed = texture.mix(bed, rusty, texture.ramp(-away, -foot - 0.5, -foot + 0.5))
    else:
        groove = np.abs(right + side * head * 1.8)
        bed = texture.mix(bed, bed * 0.2, texture.ramp(0.6 * head - groove, -0.7, 0.5))
    across = 1 - 0.3 * (away / head) ** 2 + 0.08 * texture.noise(random, shape, 3, stretch=10)
    steel = texture.shaded(across, np.float32([0.8, 0.81, 0.84]) * random.uniform(0.75, 1.15))
    return texture.mix(bed, steel, texture.ramp(-away, -head - 0.5, -head + 0.5))


def _with_leaves(random: Random, bed: np.ndarray) -> np.ndarray:
    """Fallen leaves, 3 to 7 pixels long."""
    height, width = bed.shape[:2]
    layer = Image.new("RGBA", (2 * width, 2 * height))
    pen = ImageDraw.Draw(layer)
    for _ in range(random.integers(10, 90)):
        x, y = random.random(2) * (2 * width, 2 * height)
        long, broad = random.uniform(3, 7, 2)
        red = random.integers(110, 220)
        colour = (int(red), int(red * random.uniform(0.45, 0.8)), int(red * 0.25), 235)
        pen.ellipse((x - long, y - broad, x + long, y + broad), fill=colour)
    leaves = np.asarray(layer.reduce(2), np.float32) / 255
    return texture.mix(bed, leaves[..., :3], leaves[..., 3])


def _with_light(random: Random, bed: np.ndarray) -> np.ndarray:
    """The track under clouds or sun, with the shadows of masts, fences or trees."""
    shape = bed.shape[:2]
    light = 1 + 0.12 * texture.noise(random, shape, 120)
    kind = random.choice(["clouds", "clouds", "clouds", "bars", "trees"])
    if kind == "bars":
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        wave = np.sin((y + x * random.uniform(-1.2, 1.2)) / random.uniform(6, 30))
        light = light * (1 - random.uniform(0.25, 0.5) * texture.ramp(wave, 0.1, 0.35))
    elif kind == "trees":
        shadow = texture.patches(random, shape, 50, random.uniform(0.2, 0.6), softness=0.15)
        light = light * (1 - random.uniform(0.25, 0.5) * shadow)
    return bed * light[..., None]
