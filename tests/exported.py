"""Exported models of small networks."""

from trackbed.exporting import exported_folder
from trackbed.inference.exported_model import ExportedModel

PICTURES = {"max_pixels": 10**6, "min_side": 2, "max_aspect": 20.0, "crop_margin": 0.0}
PICTURES |= {"boxes": "check", "white_level": None, "group": None, "group_per_class": False}
VALUES = {"calibrated": False, "temperature": 2.0, "refusal_threshold": 0.6}
VALUES |= {"wanted_precision": 0.95, "pictures": PICTURES, "model": "0" * 64}


def exported(folder, model, classes=("a", "b"), **values):
    """The exported model of a Keras model, in a folder that is made for it."""
    folder.mkdir()
    exported_folder.write(folder, model, list(classes), **VALUES | values)
    return ExportedModel.load(folder)
