#!/usr/bin/env bash
# tifffile 2026.3.3: imwrite(..., bitspersample=12, byteorder=">") packs the samples after it has
# swapped their bytes, so that 4095 is stored as 3855 (0x0FFF becomes 0xFF0F, of which 12 bits
# stay). Nothing warns, and tifffile itself reads 3855. With byteorder="<" the file is right. TIFF
# packs such samples with the highest bit first, whatever the byte order (TIFF 6.0, FillOrder).
# The same with 9 to 15 bits: 10-bit white becomes 771.
#
# Seen (2026-11-28): 4095 with byteorder "<", 3855 with ">". Exit code 1 if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tifffile==2026.3.3 imagecodecs==2026.3.6 numpy==2.4.6
cd "$folder"
venv/bin/python -W error - <<'PYTHON'
import numpy as np
import tifffile

white = np.full((2, 4), 4095, np.uint16)
for order, expected in (("<", 4095), (">", 3855)):
    tifffile.imwrite(
        "white.tif", white, bitspersample=12, photometric="minisblack", byteorder=order
    )
    read = int(tifffile.imread("white.tif").max())
    print(f"byteorder {order!r}: wrote 4095, read {read}")
    assert read == expected
PYTHON
