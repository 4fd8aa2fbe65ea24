"""Time, disk and memory of ours as a source grows."""

import time

from speed import pictures
from speed.bench import Bench, Contestant, Rounds, Task, Values
from speed.benches import build
from speed.benches.reading import SIDE
from speed.processes import PEAK
from speed.trend import exponent, line

BUILD, READ, DISK, BEYOND = "s build", "s read", "MB on disk", "MB beyond the pixels"


def lay_out(task: Task, *, sizes: list[int], records: bool) -> Values:
    """A folder of pictures per size, and our records of it where they are to be read."""
    for images in sizes:
        source = task.shared / str(images)
        found = pictures.into(source, task, images)
        if found["images"] < images:
            raise ValueError(f"{found['images']} photographs are too few for {images}")
        if records:
            build.build(task.shared / f"project{images}", source)
    return {"KB each": found["KB each"]}


def build_records(task: Task, *, images: int) -> Values:
    """Our stage, as a whole program."""
    seconds = build.build(task.work / "project", task.shared / str(images))
    disk = pictures.megabytes(task.work / "project" / "data" / "records")
    return {BUILD: seconds, DISK: disk}


def read_records(task: Task, *, images: int) -> Values:
    """All pixels of our records, in memory; imports are left out."""
    from trackbed.pipeline import index
    from trackbed.records import reader

    folder = task.shared / f"project{images}" / "data" / "records"
    table = index.read(folder)
    reader.pixels(folder, table[:1], SIDE, SIDE)  # imports what it needs
    begun = time.perf_counter()
    pixels = reader.pixels(folder, table, SIDE, SIDE)
    return {READ: time.perf_counter() - begun, "MB of pixels": pixels.nbytes / 1e6}


def trends(rounds: Rounds, columns: tuple[str, ...]) -> list[str]:
    """A line and an exponent for each of the columns; '' where contestants failed."""
    if not all(rounds.values()) or len(rounds) < 2:
        return []
    lines = []
    for column in columns:
        at = {int(name.split()[0].replace(",", "")): runs for name, runs in rounds.items()}
        points = [(images, _value(run, column)) for images, runs in at.items() for run in runs]
        start, each = line(points)
        lines.append(
            f"{column}: {start:.3g} + {1000 * each:.3g} per 1,000 images; "
            f"grows with images to the power of {exponent(points):.2f} (1: linear, 0: flat)"
        )
    return lines


def _value(run: Values, column: str) -> float:
    return run[PEAK] - run["MB of pixels"] if column == BEYOND else run[column]


def benches(sizes: list[int]) -> dict[str, Bench]:
    """Build and read at each of the sizes, in images."""
    return {
        "growth_build": Bench(
            title="Growth: build records",
            measures="Our stage build_tfrecord as a whole program.",
            prepare=Contestant(lay_out, {"sizes": sizes, "records": False}),
            contestants={
                f"{images:,} images": Contestant(build_records, {"images": images})
                for images in sizes
            },
            notes=lambda rounds: trends(rounds, (BUILD, DISK, PEAK)),
        ),
        "growth_read": Bench(
            title=f"Growth: read at {SIDE} pixels",
            measures="Our records as uint8 pixels in memory, imports left out.",
            prepare=Contestant(lay_out, {"sizes": sizes, "records": True}),
            contestants={
                f"{images:,} images": Contestant(read_records, {"images": images})
                for images in sizes
            },
            notes=lambda rounds: trends(rounds, (READ, BEYOND)),
        ),
    }
