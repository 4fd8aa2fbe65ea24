"""Where an exported model looks: class activation maps, and pictures with such a map over them.

For a server and a program without TensorFlow: NumPy, OpenCV and ONNX Runtime are enough.

    explainer = class_activation.read(model)  # None for a network that needs Grad-CAM
    probabilities, maps = explainer.explained(images)
    picture_with_map = class_activation.overlay(picture, maps[0])

A map is Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391) of the log-odds of a class,
log(p / (1 - p)): the gradient of a probability vanishes where the model is sure. Behind a global
average pooling the gradient is the same at every place, so that it follows from the head alone; for
a head of one dense layer the map is the class activation map of Zhou et al. (2016, arXiv
1512.04150).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from trackbed.inference import head as dense_head
from trackbed.inference.exported_model import EMBEDDING, FEATURES, PROBABILITIES, ExportedModel
from trackbed.inference.head import Head

# Of an overlay: the share of the highest value below which only the picture shows, the share from
# which on the colour is as strong as it gets, and how strong that is, 0 to 1.
FAINTEST, STRONGEST, STRENGTH = 0.1, 0.6, 0.6
DARKENED = 0.75  # factor on the grey values of the picture below


@dataclass(frozen=True)
class Explainer:
    """An exported model whose averaged features and dense head give its maps."""

    model: ExportedModel
    head: Head

    def explained(
        self, images: np.ndarray, labels: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Class probabilities, (images, classes), and maps, (images, height, width), both float32.

        images: uint8, (images, side, side, 3); labels: the classes to explain, int, (images,);
        None for the most probable ones. Above 0 a place speaks for the class, below against it; a
        map adds up to what the features add to the log-odds, to the first order.
        """
        features, embeddings, probabilities = self.model.outputs(
            images, FEATURES, EMBEDDING, PROBABILITIES
        )
        if labels is None:
            labels = probabilities.argmax(axis=1)
        return probabilities, maps(features, gradient(self.head, embeddings, labels))


def read(model: ExportedModel) -> Explainer | None:
    """The explainer of an exported model; None where its head is no pooling with dense layers.

    Raises Damaged for a broken file.
    """
    head = dense_head.read(model) if model.has_features else None
    return None if head is None else Explainer(model, head)


def gradient(head: Head, embeddings: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The gradient of the log-odds of a class by the embedding: float64, shape (images, units).

    embeddings: float32, shape (images, units); labels: int, shape (images,). The log-odds are the
    logit of the class less the logarithm of the summed exponentials of the others.
    """
    values = [embeddings.astype(np.float64)]
    for layer in head.layers:
        made = values[-1] @ layer.kernel + layer.bias
        values.append(np.maximum(made, 0) if layer.activation == "relu" else made)
    back = log_odds_gradient(values[-1], labels)
    for layer, made in zip(reversed(head.layers), reversed(values[1:]), strict=True):
        if layer.activation == "relu":
            back = back * (made > 0)
        back = back @ layer.kernel.T
    return back


def log_odds_gradient(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The gradient of the log-odds of a class by the logits: float64, shape (images, classes).

    1 for the class; for the others less their share of the probability that is left.
    """
    own = np.arange(len(labels)), labels
    others = logits.astype(np.float64)
    if others.shape[1] > 1:
        others[own] = -np.inf
        others = np.exp(others - others.max(axis=1, keepdims=True))
        others /= others.sum(axis=1, keepdims=True)
    back = -others
    back[own] = 1
    return back


def maps(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The features, weighted and summed over the channels: float32, shape (images, height, width).

    features: float32, (images, height, width, channels); gradients: of the averaged features,
    (images, channels).
    """
    places = features.shape[1] * features.shape[2]
    return np.einsum("nhwc,nc->nhw", features, gradients / places).astype(np.float32)


def enlarged(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """A map stretched to a picture, with cubic interpolation: float32, shape (height, width)."""
    return cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)


def overlay(picture: np.ndarray, values: np.ndarray, highest: float | None = None) -> np.ndarray:
    """A picture in grey with a map over it, from violet over green to yellow: uint8, RGB.

    picture: uint8, (height, width, 3), RGB; values: a map of any height and width, float32, of
    which the part above 0 shows. highest: the value of the brightest colour, to compare maps; None
    for the highest value of this one. Without a value above 0 it is the grey picture alone.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[:, :, np.newaxis] * DARKENED
    largest = float(values.max()) if highest is None else highest
    shares = np.zeros(grey.shape, np.float32)
    if largest > 0:
        # First what is below 0: beside it the interpolation would swing above 0.
        positive = enlarged(np.maximum(values, 0), *picture.shape[:2])
        shares[:, :, 0] = np.clip(positive / largest, 0, 1)
    colours = cv2.applyColorMap((255 * shares).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[:, :, ::-1]
    opacity = STRENGTH * np.clip((shares - FAINTEST) / (STRONGEST - FAINTEST), 0, 1)
    return np.rint(grey * (1 - opacity) + colours * opacity).astype(np.uint8)
