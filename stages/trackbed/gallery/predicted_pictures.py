"""The test pictures: their predictions, with what the index and the evaluation know of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trackbed.evaluation import embedding_map
from trackbed.pipeline import tables
from trackbed.pipeline.errors import UserError

SCALE = 1000  # of confidences and positions, which are whole numbers in the page


@dataclass(frozen=True)
class PredictedPictures:
    """The test pictures, in the order of predictions.csv.

    predictions: see pipeline.tables; rows: of the index; positions: of the map; findings: of the
    index; threshold: the confidence below which a prediction is refused, or None.
    """

    predictions: pd.DataFrame
    rows: pd.DataFrame
    positions: pd.DataFrame
    findings: pd.DataFrame
    threshold: float | None

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in the order of their labels."""
        return tables.predicted_classes(self.predictions)

    @property
    def true(self) -> np.ndarray:
        """Numbers of the true classes: int, shape (pictures,)."""
        return tables.labels(self.predictions)

    @property
    def predicted(self) -> np.ndarray:
        """Numbers of the predicted classes: int, shape (pictures,)."""
        names = pd.Index(self.classes)
        return names.get_indexer(self.predictions["predicted"])

    @property
    def wrong(self) -> np.ndarray:
        """Which predictions are wrong: bool, shape (pictures,)."""
        return self.true != self.predicted

    @property
    def thousandths(self) -> np.ndarray:
        """The confidences in SCALE parts: int, shape (pictures,).

        Rounded down, so that as many reach each whole threshold as of the exact values. Those about
        the chosen threshold are on its right side, though it is rounded too.
        """
        exact = self.predictions["confidence"].to_numpy(float)
        sure = np.floor(SCALE * exact).astype(int)
        if self.threshold is None:
            return sure
        chosen, kept = round(SCALE * self.threshold), exact >= self.threshold
        return np.where(kept, np.maximum(sure, chosen), np.minimum(sure, max(chosen - 1, 0)))

    @property
    def order(self) -> np.ndarray:
        """Places of the pictures as the gallery first shows them: int, shape (pictures,).

        The surest mistakes first, behind them what is right, the least sure first.
        """
        sure, wrong = self.thousandths, self.wrong
        return np.lexsort((np.where(wrong, -1, 1) * sure, ~wrong))


def joined(
    predictions: pd.DataFrame,
    table: pd.DataFrame,
    positions: pd.DataFrame,
    findings: pd.DataFrame,
    threshold: float | None,
) -> PredictedPictures:
    """The test pictures of an index. Raises UserError where the tables are of other records."""
    known = table.set_index("record", drop=False)
    rows = known.reindex(predictions["record"])
    other = rows["filename"].to_numpy() != predictions["filename"].to_numpy()
    if other.any():
        first = predictions.iloc[int(other.argmax())]
        raise UserError(
            f"predictions.csv: record {first['record']} is {first['filename']}, in the index "
            f"{known['filename'].get(first['record'], 'it is missing')}. "
            f"{tables.EVALUATION_REMEDY}"
        )
    if not positions["record"].equals(predictions["record"]):
        raise UserError(
            f"{embedding_map.MAP_TABLE.name} is of other records than predictions.csv. "
            f"{tables.EVALUATION_REMEDY}"
        )
    rows = rows.astype(table.dtypes).reset_index(drop=True)
    return PredictedPictures(predictions, rows, positions, findings, threshold)


def whole(values: pd.Series) -> np.ndarray:
    """Numbers 0 to 1 as whole numbers 0 to SCALE: int, of the same shape."""
    return np.rint(SCALE * values.to_numpy(float)).astype(int)
