"""Write the built-in sample."""

from pathlib import Path

from trackbed.pipeline.outputs import replacing_folder
from trackbed.pipeline.runner import run
from trackbed.sample import drives


def main(sample_path: Path) -> None:
    """Write class folders with pictures, and a few non-image files."""
    with replacing_folder(sample_path) as folder:
        drives.write_sample(folder)
    print(f"{sum(1 for _ in sample_path.rglob('*.jpg'))} files in {len(drives.CLASSES)} classes")


if __name__ == "__main__":
    run(main)
