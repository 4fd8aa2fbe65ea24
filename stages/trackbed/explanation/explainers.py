"""What explains the answers of a model: without TensorFlow where its head allows that."""

import hashlib
from pathlib import Path

from trackbed.explanation.explained import Explainer
from trackbed.inference import class_activation
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline import tensorflow_setup
from trackbed.pipeline.errors import UserError

TRAINED_FILE = "model.keras"


def explainer(model: ExportedModel, models_path: Path) -> Explainer:
    """The explainer of an exported model; one of another head needs the trained model.

    models_path: the folder of model.keras. Raises UserError where that is needed and missing, or
    is of another model.
    """
    found = class_activation.read(model)
    if found is not None:
        return found
    _refuse_other_model(model, models_path / TRAINED_FILE)
    tensorflow_setup.start()  # before anything else imports it, for then it writes its own log
    from trackbed.explanation import grad_cam

    return grad_cam.read(models_path)


def _refuse_other_model(model: ExportedModel, path: Path) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise UserError(
            f"{model.folder}: the head of this network is no pooling with dense layers, so its "
            f"maps need the trained model, and {path} cannot be read. Run this in the project "
            "of the model, after `dvc pull models` or `dvc repro train`."
        ) from None
    if found != model.description["model"]:
        raise UserError(f"{path}: another model than the exported one. Run `dvc repro export`.")
