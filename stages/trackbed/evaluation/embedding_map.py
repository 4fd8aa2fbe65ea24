"""The test part as points of a plane: images that the model finds alike lie close together."""

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from trackbed.evaluation import kept_results
from trackbed.pipeline.errors import Diverged
from trackbed.pipeline.tables import EVALUATION_REMEDY, TableFile

MAP_TABLE = TableFile(
    "map.csv",  # in the folder of the evaluation
    {"record": "int64", "x": "float64", "y": "float64"},  # 0 to 1
    EVALUATION_REMEDY,
    float_format="%.4f",
)
# Time grows faster than the number of points. Of more of them t-SNE arranges this many, chosen at
# random; each other one is placed between those that are most like it.
MOST_ARRANGED = 4000
LIKE = 3
COMPONENTS = 50  # van der Maaten and Hinton (2008) reduce their data to 30
PERPLEXITY = 30.0
FEWEST = 5  # points for t-SNE; of fewer the principal components are the map
ITERATIONS = 500  # the half of the usual: the map of 2,500 images of six classes stays as true


def table(rows: pd.DataFrame, embeddings: np.ndarray, seed: int) -> pd.DataFrame:
    """The positions of some rows of the index, columns as in MAP_TABLE.

    Runs with the same embeddings share them, see kept_results: all heads of a frozen backbone.
    """
    inputs = [f"{seed} {embeddings.shape} {embeddings.dtype}".encode(), embeddings.tobytes()]
    found = kept_results.kept("map", inputs, lambda: {"positions": positions(embeddings, seed)})
    x, y = found["positions"].T
    return pd.DataFrame({"record": rows["record"].to_numpy(), "x": x, "y": y})


def positions(embeddings: np.ndarray, seed: int) -> np.ndarray:
    """Positions 0 to 1 in a square: float64, shape (images, 2).

    embeddings: float, shape (images, units). Principal components, then t-SNE (van der Maaten and
    Hinton 2008) that starts from the first two. Neighbours in the map are alike; distances between
    clusters, their sizes and the axes mean nothing. Raises Diverged for one that is not finite.
    """
    finite = np.isfinite(embeddings).all(axis=1)
    if not finite.all():
        raise Diverged(
            f"the model's embeddings of {np.sum(~finite):,} of {len(finite):,} test images are not "
            "finite; lower train.learning_rate."
        )
    # In one thread: the order of sums, and with it the map, would depend on the number of cores.
    with threadpool_limits(1):
        reduced = _principal_components(np.asarray(embeddings, np.float64), seed)
        chosen = np.arange(len(reduced))
        if len(reduced) > MOST_ARRANGED:
            draw = np.random.default_rng(seed)
            chosen = np.sort(draw.choice(len(reduced), MOST_ARRANGED, replace=False))
        arranged = _arranged(reduced[chosen], seed)
        return _in_unit_square(_with_others(reduced, chosen, arranged))


def _principal_components(values: np.ndarray, seed: int) -> np.ndarray:
    """Up to COMPONENTS columns, at least 2; the standard deviation of the first is 1."""
    from sklearn.decomposition import PCA

    count = min(COMPONENTS, *values.shape)
    if count < 2 or not values.std(axis=0).any():
        return np.zeros((len(values), 2))
    found = PCA(count, random_state=seed).fit_transform(values)
    return found / found[:, 0].std()


def _arranged(reduced: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE

    if len(reduced) < FEWEST or not reduced.any():
        return reduced[:, :2]
    perplexity = min(PERPLEXITY, (len(reduced) - 1) / 3)
    method = TSNE(init="pca", perplexity=perplexity, max_iter=ITERATIONS, random_state=seed)
    return method.fit_transform(reduced).astype(np.float64)


def _with_others(reduced: np.ndarray, chosen: np.ndarray, arranged: np.ndarray) -> np.ndarray:
    """All points: one that was not arranged lies between the LIKE nearest ones that were."""
    from sklearn.neighbors import NearestNeighbors

    made = np.empty((len(reduced), 2))
    made[chosen] = arranged
    others = np.setdiff1d(np.arange(len(reduced)), chosen)
    if len(others):
        nearest = NearestNeighbors(n_neighbors=LIKE).fit(reduced[chosen])
        distances, places = nearest.kneighbors(reduced[others])
        weights = 1 / (distances + 1e-9)
        weights /= weights.sum(axis=1, keepdims=True)
        made[others] = (arranged[places] * weights[:, :, np.newaxis]).sum(axis=1)
    return made


def _in_unit_square(values: np.ndarray) -> np.ndarray:
    if not len(values):
        return values
    low, high = values.min(axis=0), values.max(axis=0)
    extent = float((high - low).max()) or 1.0
    return 0.5 + (values - (low + high) / 2) / extent
