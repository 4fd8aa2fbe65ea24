"""Our side of the benches on a frozen backbone: embed once, train the head on embeddings."""

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from speed import pictures, project
from speed.bench import Task, Values

if TYPE_CHECKING:
    import numpy as np

SIDE, EPOCHS = 224, 30


def forward(*, engine: str, precision: str, images: "np.ndarray") -> float:
    """Images per second of our forward pass, after a warm-up."""
    from trackbed.embedding import engines
    from trackbed.networks import embeddings, registry
    from trackbed.networks.spec import Spec
    from trackbed.pipeline import tensorflow_setup

    tensorflow_setup.make_deterministic(0)
    backbone = embeddings.backbone(registry.build("rails", Spec(SIDE, 5)))
    run = engines.forward(backbone, engine, precision, images[:32])
    run(images[:16])
    begun = time.perf_counter()
    for start in range(0, len(images), 16):
        run(images[start : start + 16])
    return len(images) / (time.perf_counter() - begun)


def lay_out(task: Task) -> Values:
    """The pictures, and our records and folds of them."""
    values = pictures.lay_out(task)
    project.create(task.shared / "project", task.shared / "pictures", split={"test_share": 0.1})
    project.run(task.shared / "project", "build_tfrecord", "split")
    return values


def run(task: Task, *, engine: str, precision: str) -> dict[str, float]:
    """Seconds of the stages embed and train, imports left out."""
    import keras  # noqa: F401  not part of what is measured
    import tensorflow  # noqa: F401

    folder = _project(task, engine=engine, precision=precision)
    embedded = _timed(folder, "embed")
    return {"embed": embedded, "train": _timed(folder, "train")}


def sweep(task: Task, grid: list[str]) -> dict[str, float]:
    """Seconds of embed, and of `trackbed heads` over a grid on one fold."""
    import keras  # noqa: F401
    import tensorflow  # noqa: F401

    from trackbed import cli

    folder = _project(task)
    embedded = _timed(folder, "embed")
    arguments = ["heads", "--folds", "0", *grid]
    for name in ("records", "folds", "embeddings"):
        arguments += [f"--{name}-path", str(folder / "data" / name)]
    begun = time.perf_counter()
    with contextlib.chdir(folder):
        if cli.main(arguments):
            sys.exit("trackbed heads failed")
    return {"embed": embedded, "heads": time.perf_counter() - begun}


def _project(task: Task, **embed: str) -> Path:
    folder = task.work / "project"
    train = {"network": "rails", "image_side": SIDE, "augment": [], "epochs": EPOCHS}
    train |= {"patience": EPOCHS, "label_smoothing": 0.0, "optimizer": "adam"}
    train |= {"learning_rate": 0.001, "schedule": "constant", "average": 0.0}
    project.create(folder, task.shared / "pictures", train=train, embed=embed)
    (folder / "data").mkdir()
    for name in ("records", "folds"):
        (folder / "data" / name).symlink_to(task.shared / "project" / "data" / name)
    return folder


def _timed(folder: Path, stage: str) -> float:
    begun = time.perf_counter()
    project.run_here(folder, stage)
    return time.perf_counter() - begun
