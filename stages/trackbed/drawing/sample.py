"""The built-in sample: track-bed pictures as a camera under a measuring train would see them.

Five classes: ASPHALT, BALLAST, GRAS, STONE (paving stones) and ERROR (unusable frames). The
pictures come in drives of a few consecutive frames of one place, which are near-duplicates. A
name is `<CLASS>/drive017_frame03.jpg`: the drive is the group, its number is unique.

As in any real folder, some files are no pictures:
BALLAST/drive901_frame00.jpg is empty, GRAS/drive902_frame00.jpg is cut off,
STONE/drive903_frame00.jpg is text, and ASPHALT/.DS_Store is hidden.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from trackbed.drawing import camera, faults, trackside
from trackbed.drawing.surfaces import SURFACES
from trackbed.drawing.texture import Random
from trackbed.outputs import jpeg

CLASSES = ("ASPHALT", "BALLAST", "ERROR", "GRAS", "STONE")
QUALITY = 88  # of the JPEG files, 0 to 95


def draw(
    folder: Path, *, seed: int = 1, drives: int = 26, frames: Sequence[int] = (4, 5, 6)
) -> None:
    """Draw `drives` drives of every class into the existing folder; same arguments, same bytes.

    Every drive has one of the numbers of frames.
    """
    for name in CLASSES:
        (folder / name).mkdir()
    order = np.random.default_rng(seed).permutation(np.repeat(CLASSES, drives))
    for number, name in enumerate(order.tolist(), start=1):
        for frame, picture in enumerate(drive(np.random.default_rng([seed, number]), name, frames)):
            path = folder / name / f"drive{number:03d}_frame{frame:02d}.jpg"
            path.write_bytes(jpeg(picture, QUALITY))
    _spoil(folder)


def drive(random: Random, class_name: str, frames: Sequence[int]) -> Iterator[Image.Image]:
    """The frames of one drive, in their order."""
    mounted, count = camera.mounted(random), int(random.choice(frames))
    surface = random.choice(list(SURFACES)) if class_name == "ERROR" else class_name
    length, width = mounted.length(count), mounted.width + 2 * camera.MARGIN
    track = trackside.track(random, surface, length, width)
    fault = faults.drawn(random) if class_name == "ERROR" else _no_fault
    for view in camera.frames(random, mounted, track, count):
        yield camera.developed(fault(random, view))


def _no_fault(random: Random, view: np.ndarray) -> np.ndarray:
    return view


def _spoil(folder: Path) -> None:
    """Add the files that are no pictures."""
    whole = min((folder / "GRAS").iterdir()).read_bytes()
    (folder / "BALLAST" / "drive901_frame00.jpg").touch()
    (folder / "GRAS" / "drive902_frame00.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "STONE" / "drive903_frame00.jpg").write_text("camera 2: no picture received\n")
    (folder / "ASPHALT" / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
