"""A project of red, green and blue pictures without a training, and deliveries of new pictures."""

import os
import subprocess
import sys
from pathlib import Path

import colour_model
import numpy as np
import pandas as pd
import yaml
from PIL import Image

from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline import index, tables
from trackbed.records import reader

ROOT = Path(__file__).parents[1]
PATTERN = r"^(d\d+)_"
DATA = {"source": "data/raw", "classes": list(colour_model.CLASSES), "group": PATTERN}


def deliver(folder, seed=1, groups=45, frames=2, factor=1.0, classes=(0, 1, 2), by_class=False):
    """Pictures d000_0.png, d000_1.png, ...: drives of one place each, with a light of their own.

    factor: on all pixels; classes: that the drives show in turn; by_class: in folders.
    """
    random = np.random.default_rng(seed)
    for group in range(groups):
        label = classes[group % len(classes)]
        place = np.full(3, 70.0)
        place[label] = 140
        place = place * random.normal(1, 0.1) + random.normal(0, 5, 3)
        target = folder / colour_model.CLASSES[label] if by_class else folder
        target.mkdir(parents=True, exist_ok=True)
        for frame in range(frames):
            pixels = (place + random.normal(0, 20, (20, 24, 3))) * factor
            image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
            image.save(target / f"d{group:03d}_{frame}.png")
    return folder


def project(folder):
    """Records, folds, an exported model, and its predictions for fold 0."""
    deliver(folder / "data/raw", seed=0, groups=120, by_class=True)
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["data"] |= DATA
    values["split"]["join_distance"] = None
    (folder / "params.yaml").write_text(yaml.safe_dump(values))
    for stage in ("build_tfrecord", "split"):
        command = [sys.executable, ROOT / "stages" / f"{stage}.py", "data", "metrics"]
        subprocess.run(command, cwd=folder, env=os.environ, check=True, capture_output=True)
    pictures = {"group": PATTERN, "group_per_class": False}
    model = ExportedModel.load(colour_model.write(folder / "exported", pictures=pictures))
    table = index.assigned(folder / "data/records", folder / "data/folds")
    rows = table[table["fold"] == 0].reset_index(drop=True)
    pixels = reader.pixels(folder / "data/records", rows, model.side, model.side)
    found = tables.predictions(rows, model.classes, model.probabilities(pixels))
    (folder / "models").mkdir()
    tables.VALIDATION_TABLE.write(folder / "models", found)
    return folder


def labelled(path, column="proposal"):
    """Fill the labels of a manifest in with those of another column."""
    table = pd.read_csv(path)
    table.assign(label=table[column]).to_csv(path, index=False)
