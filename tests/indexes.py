"""Index tables for what is found in the data, of records that are all ordinary unless changed."""

import pandas as pd

ORDINARY = {
    **{"class_name": "A", "part": "train", "width": 150, "height": 150, "format": "JPEG"},
    **{"brightness": 120.0, "contrast": 50.0, "sharpness": 5000.0},
}


def indexed(*rows):
    """One record per row, a dict of what is not ordinary; hashes and groups of their own."""
    made = [
        ORDINARY
        | {"record": number, "filename": f"{number}.jpg", "group": f"{number}"}
        | {"pixel_hash": f"{number:032x}", "perceptual_hash": f"{number * 0x9E3779B97F4A7C15:x}"}
        | row
        for number, row in enumerate(rows)
    ]
    table = pd.DataFrame(made)
    table["perceptual_hash"] = table["perceptual_hash"].str[-16:].str.zfill(16)
    return table
