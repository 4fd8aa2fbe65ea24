"""Exported models of small networks."""

from onnx_model import PICTURES

from trackbed.exporting import exported_folder
from trackbed.inference.exported_model import ExportedModel

VALUES = {"calibrated": False, "temperature": 2.0, "refusal_threshold": 0.6}
VALUES |= {"wanted_precision": 0.95, "pictures": PICTURES, "model": "0" * 64}


def exported(folder, model, classes=("a", "b"), **values):
    """The exported model of a Keras model, in a folder that is made for it."""
    folder.mkdir()
    exported_folder.write(folder, model, list(classes), **VALUES | values)
    return ExportedModel.load(folder)
