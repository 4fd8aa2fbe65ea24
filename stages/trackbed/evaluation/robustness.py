"""Corrupt images as cameras, weather and storage do, and measure what is left of the scores."""

import io
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from PIL import Image

from trackbed.evaluation import metrics
from trackbed.pipeline.outputs import jpeg
from trackbed.pipeline.tables import EVALUATION_REMEDY, TableFile

Name = Literal["noise", "blur", "brightness", "contrast", "jpeg", "occlusion"]
NAMES: tuple[str, ...] = get_args(Name)
GRADES = (1, 2, 3, 4, 5)
# Strength at grades 1 to 5. The first five kinds are those of ImageNet-C (Hendrycks and Dietterich
# 2019, arXiv 1903.12261) with the constants of their program for 224 pixels; occlusion is the grey
# square of Zeiler and Fergus (2014, arXiv 1311.2901), for dirt on a lens and things before it.
STRENGTHS = {
    "noise": (0.08, 0.12, 0.18, 0.26, 0.38),  # standard deviation of Gaussian noise, of 1
    "blur": (1, 2, 3, 4, 6),  # standard deviation of a Gaussian in pixels, about, at 224 pixels
    "brightness": (0.1, 0.2, 0.3, 0.4, 0.5),  # added to the value (HSV), of 1
    "contrast": (0.4, 0.3, 0.2, 0.1, 0.05),  # what is left of the distance from the mean colour
    "jpeg": (25, 18, 15, 10, 7),  # quality
    "occlusion": (0.05, 0.1, 0.2, 0.3, 0.4),  # share of the area under a grey square
}
SIDE = 224  # pixels, for which blur is stated; it grows with the image
GREY = 128

CLEAN = "none"
COLUMNS = {
    "corruption": "str",  # CLEAN, or one of NAMES
    "grade": "int64",  # 0 for the unchanged images, else 1 (weak) to 5 (strong)
    "macro_f1": "float64",
    "accuracy": "float64",
}
CORRUPTIONS_TABLE = TableFile(
    "corruptions.csv", COLUMNS, EVALUATION_REMEDY, empty_is_nan=True, float_format="%.4f"
)

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


class Prediction(NamedTuple):
    """The predicted class of every image under a corruption; labels: int, shape (images,)."""

    corruption: str
    grade: int
    labels: np.ndarray


def corrupted(
    images: np.ndarray, numbers: np.ndarray, name: str, grade: int, seed: int
) -> np.ndarray:
    """The corrupted images: uint8, shape (images, height, width, 3), as given.

    numbers: int, shape (images,), such as records: (seed, name, grade, number) alone decide the
    random numbers of an image, whatever stands beside it. Raises KeyError for an unknown name.
    """
    change, strength = CHANGES[name], STRENGTHS[name][grade - 1]
    made = np.empty_like(images)
    for place, number in enumerate(numbers):
        random = np.random.default_rng([seed, NAMES.index(name), grade, int(number)])
        made[place] = change(images[place], strength, random)
    return made


def _noise(image: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    noise = random.standard_normal(image.shape, dtype=np.float32)
    return _rounded(image + 255 * strength * noise)


def _blur(image: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    import cv2

    # At 32 pixels 0.4 to 1.2, close to the 0.4 to 1 of CIFAR-10-C; at 224 those of ImageNet-C.
    sigma = 0.3 + strength * np.sqrt(image.shape[0] * image.shape[1]) / SIDE
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def _brightness(image: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    # Value is the highest channel; hue and saturation stay if all channels grow in proportion.
    value = image.max(axis=2, keepdims=True).astype(np.float32)
    brighter = np.minimum(value + 255 * strength, 255)
    return _rounded(np.where(value > 0, image * (brighter / np.maximum(value, 1)), brighter))


def _contrast(image: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    mean = image.mean(axis=(0, 1), keepdims=True)
    return _rounded((image - mean) * strength + mean)


def _jpeg(image: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg(Image.fromarray(image), int(strength)))))


def _occlusion(image: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    height, width = (round(side * strength**0.5) for side in image.shape[:2])
    top = random.integers(image.shape[0] - height + 1)
    left = random.integers(image.shape[1] - width + 1)
    made = image.copy()
    made[top : top + height, left : left + width] = GREY
    return made


def _rounded(pixels: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


CHANGES: dict[str, Change] = {
    "noise": _noise,
    "blur": _blur,
    "brightness": _brightness,
    "contrast": _contrast,
    "jpeg": _jpeg,
    "occlusion": _occlusion,
}


def table(
    labels: np.ndarray, clean: np.ndarray, corrupted: Iterable[Prediction], classes: int
) -> pd.DataFrame:
    """CORRUPTIONS_TABLE: a row for the unchanged images, then one per corruption and grade.

    labels: true classes, clean: predicted classes of the unchanged images; int, shape (images,).
    """
    made = [
        (*each[:2], metrics.macro_f1(labels, each.labels, classes), np.mean(labels == each.labels))
        for each in (Prediction(CLEAN, 0, clean), *corrupted)
    ]
    return CORRUPTIONS_TABLE.rows(made)


def mean_accuracy(found: pd.DataFrame) -> dict[str, float]:
    """The mean over all corruptions and grades as 'corrupted_accuracy'; {} where there are none.

    The complement of the unnormalised mean corruption error of Hendrycks and Dietterich (2019).
    """
    accuracy = found["accuracy"][found["grade"] > 0]
    return {} if accuracy.empty else {"corrupted_accuracy": float(accuracy.mean())}
