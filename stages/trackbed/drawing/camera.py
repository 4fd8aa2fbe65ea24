"""The camera under the measuring train of the sample: the frames of a drive, sound or faulty."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from trackbed.drawing.texture import Random

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


def mounted(random: Random) -> Camera:
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


def frames(random: Random, camera: Camera, track: np.ndarray, count: int) -> list[np.ndarray]:
    """Views along the track: float32 of shape (height, width, 3), grey levels, not yet clipped."""
    picture = Image.fromarray(_levels(track * 255))
    return [_frame(random, camera, picture, number) for number in range(count)]


def developed(picture: np.ndarray) -> Image.Image:
    """The view as an image of 8 bits per colour."""
    return Image.fromarray(_levels(picture))


def _frame(random: Random, camera: Camera, track: Image.Image, number: int) -> np.ndarray:
    view = _seen(camera, track, MARGIN + number * camera.step)
    blur, light = camera.blur, random.normal(1, 0.03)
    if random.random() < 0.12:  # a jolt, a bridge: worse than its neighbours, yet usable
        blur, light = random.uniform(0.6, 1.3), random.uniform(0.55, 0.9)
    view = view.filter(ImageFilter.GaussianBlur(blur))
    exposed = np.asarray(view, np.float32) * camera.gain * np.float32(light)
    return exposed + camera.noise * random.standard_normal(exposed.shape, np.float32)


def _seen(camera: Camera, track: Image.Image, start: float) -> Image.Image:
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


def _levels(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
