"""What explains the answers of a model: without TensorFlow where its head allows that."""

from pathlib import Path

from trackbed.explanation.explained import Explainer
from trackbed.inference import class_activation
from trackbed.inference.exported_model import ExportedModel


def explainer(model: ExportedModel, models_path: Path) -> Explainer:
    """The explainer of an exported model; one of another head needs the trained model.

    models_path: the folder of model.keras. Raises UserError where that is needed and missing.
    """
    found = class_activation.read(model)
    if found is not None:
        return found
    from trackbed.explanation import grad_cam

    return grad_cam.read(models_path)
