"""The confusion matrix as cells of a table, each of which stands for pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Cell:
    """Test images of a class that were predicted as another, or as the same.

    label: the number of the predicted class; share: of the images of the true class, 0 to 1.
    """

    label: int
    images: int
    share: float
    right: bool

    @property
    def percent(self) -> str:
        """The share in percent, '<1' where it is not 0 but rounds to it."""
        return "<1" if 0 < self.share < 0.005 else f"{100 * self.share:.0f}"


@dataclass(frozen=True)
class MatrixRow:
    """A true class, its number, and its cells in the order of the rows."""

    name: str
    label: int
    cells: list[Cell]


def rows(matrix: pd.DataFrame, names: Sequence[str]) -> list[MatrixRow]:
    """The rows and columns of some classes of a confusion matrix, in their order.

    matrix: counts of images, rows the true and columns the predicted class, all in label order.
    """
    labels = matrix.index.get_indexer(names)
    support = matrix.sum(axis=1).to_numpy()
    counts = matrix.to_numpy()
    return [
        MatrixRow(
            matrix.index[true],
            int(true),
            [
                Cell(
                    int(label),
                    int(count),
                    float(count / max(support[true], 1)),
                    bool(true == label),
                )
                for label, count in zip(labels, counts[true, labels], strict=True)
            ],
        )
        for true in labels
    ]
