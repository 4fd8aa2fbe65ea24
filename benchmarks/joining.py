"""Groups that `split` joins in a folder of class folders, and how many altered copies it finds.

    python benchmarks/joining.py FOLDER [--side 32] [--group REGEX] [--copies 400]

For every distance: groups, and of the largest one images, named groups, classes and the largest
share of a class. Then, for altered copies of some pictures, which share ends in one group with the
picture. FOLDER holds <class>/*, or train/<class>/* and test/<class>/*. --side: all pictures are
scaled to so many pixels first. --group: of a file name; the same group in two classes is two.
"""

import argparse
import hashlib
import io
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "stages"))

from trackbed.dataset.images import difference_hash, encoded_thumbnail, quality
from trackbed.splitting import joining

SUFFIXES = {".jpg", ".jpeg", ".png", ".ppm", ".bmp"}
DISTANCES = (1, 2, 3, 4, 6, 8)


def saved(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def scaled(image, factor):
    return image.resize([max(4, round(factor * side)) for side in image.size])


def cropped(image, share):
    across, down = round(share * image.width), round(share * image.height)
    return image.crop((across, down, image.width - across, image.height - down))


def exposed(image, factor):
    return image.point(lambda value: min(255, round(value * factor)))


COPIES = {
    "none": lambda image: image.copy(),
    "JPEG 90": lambda image: saved(image, 90),
    "JPEG 50": lambda image: saved(image, 50),
    "JPEG 30": lambda image: saved(image, 30),
    "half the size": lambda image: scaled(image, 0.5),
    "twice the size": lambda image: scaled(image, 2),
    "1 % cropped": lambda image: cropped(image, 0.01),
    "2 % cropped": lambda image: cropped(image, 0.02),
    "5 % cropped": lambda image: cropped(image, 0.05),
    "8 % cropped": lambda image: cropped(image, 0.08),
    "20 % darker": lambda image: exposed(image, 0.8),
    "20 % brighter": lambda image: exposed(image, 1.2),
    "half, JPEG 50, 10 % brighter": lambda image: saved(scaled(exposed(image, 1.1), 0.5), 50),
    "2 % cropped, JPEG 70": lambda image: saved(cropped(image, 0.02), 70),
}


def row(image, filename, class_name, part, group):
    grey = image.convert("L")
    measures = quality(grey)._asdict()
    return measures | {
        **{"filename": filename, "class_name": class_name, "part": part, "group": group},
        "perceptual_hash": difference_hash(grey),
        "thumbnail": encoded_thumbnail(grey),
        "pixel_hash": hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest(),
    }


def pictures(folder, side, pattern):
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES):
        image = Image.open(path).convert("RGB")
        parts = path.relative_to(folder).parts
        name, class_name = "/".join(parts), parts[-2]
        part = parts[0] if parts[0] in ("train", "test") else ""
        group = f"{class_name}/{re.search(pattern, parts[-1])[0]}" if pattern else name
        yield image.resize((side, side)) if side else image, name, class_name, part, group


def print_groups(table):
    print("bits  groups  largest: images  named groups  classes  share of a class")
    sizes = table["class_name"].value_counts()
    for distance in DISTANCES:
        joined, _ = joining.join_groups(table, distance, None)
        of_group = joined["group"].value_counts()
        largest = joined[joined["group"] == of_group.index[0]]
        share = (largest["class_name"].value_counts() / sizes).max()
        print(
            f"{distance:>4}  {len(of_group):>6}  {len(largest):>15}  "
            f"{largest['named_group'].nunique():>12}  {largest['class_name'].nunique():>7}  "
            f"{share:>16.1%}"
        )


def print_recall(table, chosen, distance):
    """chosen: rows of pictures with their images."""
    print(f"\nshare of {len(chosen)} altered copies in the group of the picture, {distance} bits")
    for name, altered in COPIES.items():
        copies = [
            row(altered(image), f"{filename}.copy", class_name, part, f"{filename}.copy")
            for image, filename, class_name, part, _ in chosen
        ]
        both = pd.concat([table, pd.DataFrame(copies)], ignore_index=True)
        joined, _ = joining.join_groups(both.assign(record=range(len(both))), distance, None)
        group = joined.set_index("filename")["group"]
        found = [group[name] == group[f"{name}.copy"] for _, name, *_ in chosen]
        print(f"{name:<30}{np.mean(found):>6.1%}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--side", type=int, default=0)
    parser.add_argument("--group", default="")
    parser.add_argument("--copies", type=int, default=400)
    arguments = parser.parse_args()
    source = list(pictures(arguments.folder, arguments.side, arguments.group))
    table = pd.DataFrame([row(*one) for one in source])
    print_groups(table.assign(record=range(len(table))))
    chosen = np.random.default_rng(0).choice(len(source), min(arguments.copies, len(source)), False)
    print_recall(table, [source[place] for place in sorted(chosen)], 4)


if __name__ == "__main__":
    main()
