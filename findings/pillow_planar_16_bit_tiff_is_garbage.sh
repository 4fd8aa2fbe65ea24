#!/usr/bin/env bash
# Pillow 13.0.0: an uncompressed 16-bit RGB TIFF whose channels lie in separate planes
# (PlanarConfiguration 2, as tifffile and ImageJ write it) opens without a warning and shows
# other pixels. Pillow takes the first letter of its raw mode "RGB;16L" for a plane, "R", and so
# reads every byte of a 16-bit plane as a pixel: even columns hold the lower 8 bits, odd ones the
# upper 8, and the right half of the picture is missing. The same file with the channels of a
# pixel together is right, and so is one of separate planes with LZW compression.
#
# Seen (2026-11-28): a ramp 0, 8192, ..., 57344 reads 0, 0, 0, 32, 0, 64, 0, 96. Exit code 1 if
# this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6
cd "$folder"
venv/bin/python -W error - <<'PYTHON'
import numpy as np
import tifffile
from PIL import Image

ramp = np.tile(np.arange(8, dtype=np.uint16) * 8192, (4, 1))
tifffile.imwrite("together.tif", np.stack([ramp] * 3, axis=2), photometric="rgb")
tifffile.imwrite(
    "planes.tif", np.stack([ramp] * 3), photometric="rgb", planarconfig="separate"
)
assert (tifffile.imread("planes.tif")[0] == ramp).all()
upper = (ramp[0] >> 8).tolist()
seen = {}
for name in ("together", "planes"):
    with Image.open(f"{name}.tif") as image:
        seen[name] = np.asarray(image)[0, :, 0].tolist()
    print(name, seen[name])
assert seen["together"] == upper == [0, 32, 64, 96, 128, 160, 192, 224]
assert seen["planes"] == [0, 0, 0, 32, 0, 64, 0, 96]
PYTHON
