"""Light, colour and sharpness of pictures as a network sees them."""

import cv2
import numpy as np

# Weights of red, green and blue in the brightness (ITU-R BT.601).
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
# Name and meaning of every property, in their order. Logarithms, so that a factor on all pixels
# is a constant, whatever the scene. The first ones are listed for a reader.
PROPERTIES = {
    "brightness": "mean of the grey values",
    "contrast": "standard deviation of the grey values",
    "sharpness": "fine detail, relative to the contrast",
    "colour": "colourfulness, relative to the brightness",
    "redness": "red, relative to green",
    "blueness": "blue, relative to green",
    "overexposure": "share of pixels that are nearly as light as a channel can be",
    "lights": "brightness of the lightest percent",
    "shadows": "brightness of the darkest percent",
    "noise": "median fine detail, relative to the contrast",
}
LISTED = tuple(PROPERTIES)[:7]
# A channel this light has probably lost detail: other light moves this share most of all, where
# brightness differs much from picture to picture.
OVEREXPOSED = 250
LEAST_SHARE = 0.002  # added to shares of pixels, which may be 0


def properties(images: np.ndarray) -> np.ndarray:
    """Natural logarithms of PROPERTIES: float64, shape (images, properties).

    images: uint8, shape (images, height, width, 3), RGB.
    """
    return np.array([_of_image(image) for image in images]).reshape(-1, len(PROPERTIES))


def _of_image(image: np.ndarray) -> list[float]:
    pixels = image.astype(np.float32)
    grey = pixels @ LUMA
    red, green, blue = pixels.mean(axis=(0, 1)) + 1
    mean, deviation = grey.mean() + 1, grey.std() + 1
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
    second = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    colour = (pixels.max(axis=2) - pixels.min(axis=2)).mean() + 1
    overexposed = (pixels.max(axis=2) >= OVEREXPOSED).mean() + LEAST_SHARE
    dark, light = np.percentile(grey, (1, 99)) + 1
    ratios = (
        *(mean, deviation, (fine.std() + 0.5) / deviation, colour / mean),
        *(red / green, blue / green, overexposed),
        *(light, dark, (np.median(second) + 0.5) / deviation),
    )
    return np.log(ratios).tolist()
