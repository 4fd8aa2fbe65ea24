"""Class folders of JPEG pictures to measure with: generated, or real ones of a folder."""

import itertools
import shutil
from pathlib import Path

from speed.bench import Task, Values

QUALITY = 90  # of the JPEG files
SIDES_OF_A_DRAWING = 5  # pictures are cut out of drawings of this many times their side
DRAWINGS_PER_SURFACE = 2


def lay_out(task: Task, *, classes: int = 5, side: int = 150) -> Values:
    """Fill `shared/pictures` with `task.images` pictures in class folders.

    Drawn pictures have `side` pixels and about the bytes of a photograph of that size; real ones
    keep theirs, and are as many as there are.
    """
    return into(task.shared / "pictures", task, task.images, classes=classes, side=side)


def into(folder: Path, task: Task, images: int, *, classes: int = 5, side: int = 150) -> Values:
    """Like `lay_out`, with the folder and the number of pictures given."""
    if task.photographs:
        _copy(task.photographs, folder, images)
    else:
        _draw(folder, images, classes, side)
    files = listed(folder)
    kilobytes = sum(path.stat().st_size for path in files) / len(files) / 1e3
    return {"images": len(files), "KB each": kilobytes}


def listed(folder: Path) -> list[Path]:
    """The pictures of class folders, sorted."""
    return sorted(path for path in folder.glob("*/*") if path.is_file())


def megabytes(folder: Path) -> float:
    """What a folder holds, in MB of 10**6 bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _copy(source: Path, folder: Path, images: int) -> None:
    """The first files of every class in turns, so that classes stay about equally frequent."""
    classes = [sorted(inner.iterdir()) for inner in sorted(source.iterdir()) if inner.is_dir()]
    in_turns = itertools.chain.from_iterable(itertools.zip_longest(*classes))
    for path in itertools.islice(filter(None, in_turns), images):
        (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.parent.name / path.name)


def _draw(folder: Path, images: int, classes: int, side: int) -> None:
    import numpy as np
    from PIL import Image

    from trackbed.sample import surfaces

    random = np.random.default_rng(0)
    large = SIDES_OF_A_DRAWING * side
    drawings = [
        np.clip(surface(random, (large, large)) * 255, 0, 255).astype(np.uint8)
        for surface in surfaces.SURFACES.values()
        for _ in range(DRAWINGS_PER_SURFACE)
    ]
    for number in range(images):
        name = f"class_{number % classes:02d}"
        (folder / name).mkdir(parents=True, exist_ok=True)
        top, left = random.integers(0, large - side, 2)
        cut = drawings[number % classes % len(drawings)][top : top + side, left : left + side]
        Image.fromarray(cut).save(folder / name / f"{number:06d}.jpg", quality=QUALITY)
