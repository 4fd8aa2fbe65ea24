"""How a quantity grows with the number of images.

NumPy is imported inside: every contestant imports this module, and starts without it.
"""

Points = list[tuple[float, float]]
"""Number of images and quantity, both above 0."""


def line(points: Points) -> tuple[float, float]:
    """The quantity at no images, and for each image: the straight line of least squares."""
    import numpy as np

    each, start = np.polyfit(*np.array(points, dtype=float).T, 1)
    return float(start), float(each)


def exponent(points: Points) -> float:
    """Least-squares slope of log(quantity) over log(images): 1 if proportional, 0 if constant."""
    import numpy as np

    return float(np.polyfit(*np.log(np.array(points, dtype=float)).T, 1)[0])
