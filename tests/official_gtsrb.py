"""The official folders of GTSRB, small: three classes of coloured squares."""

import numpy as np
from PIL import Image

HEADER = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"
TRAINING = "GTSRB/Final_Training/Images"
TEST = "GTSRB/Final_Test/Images"
SIGN = {0: (200, 0, 0), 7: (0, 200, 0), 42: (0, 0, 200)}


def write_table(path, rows, header=HEADER):
    """A csv file as the benchmark has it: semicolons, carriage returns, no quotes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [header, *(";".join(map(str, row)) for row in rows)]
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode())


def write_sign(path, class_id, side):
    """A black picture with a sign of `side` pixels, one colour, 6 and 5 from left and top.

    The border on the right and below is 5 pixels wide. Returns the row of the csv file.
    """
    pixels = np.zeros((side + 10, side + 11, 3), np.uint8)
    pixels[5 : 5 + side, 6 : 6 + side] = SIGN[class_id]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path.name, side + 11, side + 10, 6, 5, side + 6, side + 5, class_id


def write_training(root, class_id, tracks=2, frames=2):
    folder = root / f"{class_id:05d}"
    names = [f"{track:05d}_{frame:05d}.ppm" for track in range(tracks) for frame in range(frames)]
    rows = [write_sign(folder / name, class_id, 10 + i) for i, name in enumerate(names)]
    write_table(folder / f"GT-{class_id:05d}.csv", rows)


def write_test(root, classes=(42, 0, 7), table=f"{TEST}/GT-final_test.csv"):
    pictures = [(root / TEST / f"{i:05d}.ppm", class_id) for i, class_id in enumerate(classes)]
    rows = [write_sign(path, class_id, 20) for path, class_id in pictures]
    write_table(root / table, rows)
    # The archive of the pictures has this one, without classes.
    blind = HEADER.removesuffix(";ClassId")
    write_table(root / TEST / "GT-final_test.test.csv", [row[:-1] for row in rows], blind)


def write_official(root):
    """Three classes of two tracks with two frames each, and three test pictures."""
    for class_id in SIGN:
        write_training(root / TRAINING, class_id)
    write_test(root)
    return root
