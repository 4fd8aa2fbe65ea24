"""Run one exported format on images, in a process without the model that it was made from.

Usage: python -m trackbed.exporting.format_run FORMAT FOLDER IMAGES RESULT
"""

import sys
import time
from pathlib import Path

import numpy as np

from trackbed.inference import other_runtimes
from trackbed.inference.other_runtimes import BATCH, Forward

REPEATS = 10  # at most
SECONDS = 0.2  # after which no further repeat begins


def main(name: str, folder: Path, images_path: Path, result_path: Path) -> None:
    """Write the probabilities and the CPU time per image to a file of numpy.savez.

    The images are in a file of numpy.save: uint8, shape (images, side, side, 3). milliseconds:
    float, for one image at a time and for BATCH at a time, on one thread.
    """
    images = np.load(images_path)
    forward = other_runtimes.forward(folder, name, threads=1)
    starts = range(0, len(images), BATCH)
    probabilities = np.concatenate([forward(images[start : start + BATCH]) for start in starts])
    milliseconds = [_milliseconds(forward, images[:1]), _milliseconds(forward, images[:BATCH])]
    without_tensorflow = "tensorflow" not in sys.modules
    np.savez(
        result_path,
        probabilities=probabilities,
        milliseconds=milliseconds,
        without_tensorflow=without_tensorflow,
    )


def _milliseconds(forward: Forward, images: np.ndarray) -> float:
    """Median CPU time per image, in milliseconds; a single figure where one call takes long."""
    spent: list[float] = []
    while len(spent) < REPEATS and sum(spent) < SECONDS:
        begun = time.process_time()
        forward(images)
        spent.append(time.process_time() - begun)
    return float(np.median(spent)) / len(images) * 1000


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
