"""The built-in sample: track-bed pictures as a camera under a measuring train would see them.

Five classes: ASPHALT, BALLAST, GRAS, STONE (paving stones) and ERROR (unusable frames). The
pictures come in drives of a few consecutive frames of one place, which are near-duplicates. A
name is `<CLASS>/drive017_frame03.jpg`: the drive is the group, its number is unique.

As in any real folder, some files are not pictures:
BALLAST/drive901_frame00.jpg is empty, GRAS/drive902_frame00.jpg is cut off,
STONE/drive903_frame00.jpg is text, and ASPHALT/.DS_Store is hidden.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from trackbed.dataset import pool
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import jpeg
from trackbed.sample import texture, trackside
from trackbed.sample.surfaces import SURFACES
from trackbed.sample.texture import Random

Fault = Callable[[Random, np.ndarray], np.ndarray]


def random_fault(random: Random) -> Fault:
    """One of the seven faults, with its strength."""
    kinds = (_dark, _glaring, _blurred, _smeared, _noisy, _torn, _covered)
    return kinds[random.integers(len(kinds))](random)


def _dark(random: Random) -> Fault:
    light, noise = random.uniform(0, 0.16), random.uniform(1, 6)
    return lambda random, view: (
        view * light * random.uniform(0.8, 1.2)
        + noise * random.standard_normal(view.shape, np.float32)
    )


def _glaring(random: Random) -> Fault:
    light, veil = random.uniform(1.8, 4), random.uniform(60, 150)
    return lambda random, view: view * light * random.uniform(0.9, 1.1) + veil


def _blurred(random: Random) -> Fault:
    radius = random.uniform(3, 7)
    return lambda random, view: _filtered(
        view, ImageFilter.GaussianBlur(radius * random.uniform(0.9, 1.1))
    )


def _smeared(random: Random) -> Fault:
    """Motion along the track, now and then across it."""
    length, axis = random.integers(20, 45), int(random.random() < 0.25)

    def smear(random: Random, view: np.ndarray) -> np.ndarray:
        way = length + random.integers(-2, 3)
        ends = [(way // 2, way - way // 2) if number == axis else (0, 0) for number in range(3)]
        sums = np.cumsum(np.pad(view, ends, mode="reflect"), axis=axis)
        last = np.arange(way, sums.shape[axis])
        return (sums.take(last, axis) - sums.take(last - way, axis)) / np.float32(way)

    return smear


def _noisy(random: Random) -> Fault:
    """Grains of one pixel up to a few, in colour or grey."""
    strength, cell, colours = random.uniform(70, 130), random.uniform(1, 2.5), random.choice([1, 3])

    def spoil(random: Random, view: np.ndarray) -> np.ndarray:
        layers = [texture.noise(random, view.shape[:2], cell) for _ in range(colours)]
        return view * 0.7 + 38 + strength * np.stack(layers, axis=-1)

    return spoil


def _torn(random: Random) -> Fault:
    """Lines of the picture in the wrong place or colour, as a broken transfer leaves them."""
    pieces = random.integers(3, 8)
    hue = random.uniform(0.1, 1.6, (pieces, 3)).astype(np.float32)

    def tear(random: Random, view: np.ndarray) -> np.ndarray:
        torn = view.copy()
        borders = np.sort(random.integers(8, len(view) - 8, pieces))
        for start, stop, tint in zip(borders, [*borders[1:], len(view)], hue, strict=True):
            shift = random.integers(15, view.shape[1] - 15)
            torn[start:stop] = np.roll(view[start:stop], shift, axis=1) * tint
        return torn

    return tear


def _covered(random: Random) -> Fault:
    """Mud, a leaf or drops on the lens: out of focus, over most of the view."""
    colour = np.float32([70, 58, 45]) * random.uniform(0.3, 2)
    share, seed = random.uniform(0.7, 0.95), random.integers(2**32)

    def cover(random: Random, view: np.ndarray) -> np.ndarray:
        same = np.random.default_rng(seed)
        mask = texture.patches(same, view.shape[:2], 90, share, softness=1.2)
        clouds = 1 + 0.25 * texture.fractal(same, view.shape[:2], 60, 3)
        mud = texture.shaded(clouds, colour)
        return texture.mix(_filtered(view, ImageFilter.GaussianBlur(2)), mud, mask)

    return cover


def _filtered(view: np.ndarray, blur: ImageFilter.Filter) -> np.ndarray:
    levels = np.clip(view, 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(levels).filter(blur), np.float32)


WIDTHS = (128, 136, 144, 152, 160)  # of a frame, in pixels; its height is 3/4 of that
MARGIN = 14  # pixels around the track that a turned camera may see


@dataclass(frozen=True)
class Camera:
    """How one drive is filmed.

    Pixels: width, height, step from frame to frame, radius of the blur. Radians: angle to the
    rails. Gain: a factor per colour. Noise: grey levels, standard deviation.
    """

    width: int
    height: int
    step: float
    angle: float
    gain: np.ndarray
    blur: float
    noise: float

    def length(self, frames: int) -> int:
        """The pixels of track, along the rails, that so many frames need."""
        return int(self.height + self.step * frames) + 2 * MARGIN


def random_camera(random: Random) -> Camera:
    """A camera with its own size, tilt, colours, sharpness and noise."""
    width = int(random.choice(WIDTHS))
    warmth = random.normal(0, 0.035)
    gain = random.uniform(0.9, 1.35) * np.array([1 + warmth, 1, 1 - warmth])
    return Camera(
        width=width,
        height=width * 3 // 4,
        step=random.uniform(0.08, 0.4) * width * 0.75,
        angle=random.normal(0, 0.025),
        gain=gain.astype(np.float32),
        blur=float(random.choice([0.2, 0.3, 0.4, 0.6])),
        noise=random.uniform(1.5, 6),
    )


def drive_frames(random: Random, camera: Camera, track: np.ndarray, count: int) -> list[np.ndarray]:
    """Views along the track: float32 of shape (height, width, 3), grey levels, not yet clipped."""
    picture = Image.fromarray(_grey_levels(track * 255))
    return [_frame(random, camera, picture, number) for number in range(count)]


def as_image(picture: np.ndarray) -> Image.Image:
    """The view as an image of 8 bits per colour."""
    return Image.fromarray(_grey_levels(picture))


def _frame(random: Random, camera: Camera, track: Image.Image, number: int) -> np.ndarray:
    view = _view(camera, track, MARGIN + number * camera.step)
    blur, light = camera.blur, random.normal(1, 0.03)
    if random.random() < 0.12:  # a jolt, a bridge: worse than its neighbours, yet usable
        blur, light = random.uniform(0.6, 1.3), random.uniform(0.55, 0.9)
    view = view.filter(ImageFilter.GaussianBlur(blur))
    row = np.tile(camera.gain, camera.width)  # NumPy is slow at repeating three values
    exposed = np.asarray(view, np.float32).reshape(camera.height, -1) * row * np.float32(light)
    exposed = exposed.reshape(camera.height, camera.width, 3)
    return exposed + camera.noise * random.standard_normal(exposed.shape, np.float32)


def _view(camera: Camera, track: Image.Image, start: float) -> Image.Image:
    """The part of the track from `start` on, turned by the camera's angle."""
    cosine, sine = np.cos(camera.angle), np.sin(camera.angle)
    x, y = camera.width / 2, camera.height / 2
    from_left = (cosine, sine, track.width / 2 - cosine * x - sine * y)
    from_top = (-sine, cosine, start + y + sine * x - cosine * y)
    return track.transform(
        (camera.width, camera.height),
        Image.Transform.AFFINE,
        (*from_left, *from_top),
        Image.Resampling.BICUBIC,
    )


def _grey_levels(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


CLASSES = ("ASPHALT", "BALLAST", "ERROR", "GRAS", "STONE")
QUALITY = 88  # of the JPEG files, 0 to 95


def write_sample(
    folder: Path, *, seed: int = 1, drives: int = 26, frames: Sequence[int] = (4, 5, 6)
) -> None:
    """Draw `drives` drives of every class into the existing folder; same arguments, same bytes.

    Every drive has one of the numbers of frames. As many processes draw as there are cores. Raises
    UserError where one of them is killed.
    """
    for name in CLASSES:
        (folder / name).mkdir()
    order = np.random.default_rng(seed).permutation(np.repeat(CLASSES, drives))
    write = partial(_write_drive, folder, seed, tuple(frames))
    try:
        for _ in pool.ordered_map(write, enumerate(order.tolist(), start=1), pool.cores()):
            pass
    except pool.WorkerKilled:
        raise UserError(
            "a process that draws pictures was killed, for lack of memory or by hand; run again."
        ) from None
    _add_bad_files(folder)


def _write_drive(folder: Path, seed: int, frames: Sequence[int], drive: tuple[int, str]) -> None:
    """Draw a drive, given by its number and class; it does not depend on the others."""
    np.empty(2**24, np.uint8)  # glibc keeps memory for arrays up to the largest that was freed
    number, name = drive
    random = np.random.default_rng([seed, number])
    for frame, picture in enumerate(drive_images(random, name, frames)):
        path = folder / name / f"drive{number:03d}_frame{frame:02d}.jpg"
        path.write_bytes(jpeg(picture, QUALITY))


def drive_images(random: Random, class_name: str, frames: Sequence[int]) -> Iterator[Image.Image]:
    """The frames of one drive, in their order."""
    mounted, count = random_camera(random), int(random.choice(frames))
    surface = random.choice(list(SURFACES)) if class_name == "ERROR" else class_name
    length, width = mounted.length(count), mounted.width + 2 * MARGIN
    track = trackside.track(random, surface, length, width)
    fault = random_fault(random) if class_name == "ERROR" else _no_fault
    for view in drive_frames(random, mounted, track, count):
        yield as_image(fault(random, view))


def _no_fault(random: Random, view: np.ndarray) -> np.ndarray:
    return view


def _add_bad_files(folder: Path) -> None:
    """Add files that are not pictures."""
    whole = min((folder / "GRAS").iterdir()).read_bytes()
    (folder / "BALLAST" / "drive901_frame00.jpg").touch()
    (folder / "GRAS" / "drive902_frame00.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "STONE" / "drive903_frame00.jpg").write_bytes(b"camera 2: no picture received\n")
    (folder / "ASPHALT" / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
