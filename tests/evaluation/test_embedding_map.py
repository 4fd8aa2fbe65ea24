"""The map of the test part: neighbours stay neighbours, the same again, odd numbers of points."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier

from trackbed.evaluation import embedding_map
from trackbed.pipeline.errors import Diverged


def clusters(count, units=12, seed=0):
    """Points around three centres, and the number of the centre of each."""
    draw = np.random.default_rng(seed)
    own = np.arange(count) % 3
    centres = 8 * draw.normal(size=(3, units))
    return (centres[own] + draw.normal(size=(count, units))).astype(np.float32), own


def test_clusters_stay_apart():
    values, own = clusters(150)
    found = embedding_map.positions(values, seed=0)
    assert KNeighborsClassifier(5).fit(found, own).score(found, own) == 1


def test_neighbours_of_real_digits_stay_neighbours():
    digits = load_digits(n_class=6)
    values, own = digits.data[:600], digits.target[:600]
    found = embedding_map.positions(values, seed=0)
    assert trustworthiness(values, found, n_neighbors=5) > 0.97
    assert KNeighborsClassifier(5).fit(found[::2], own[::2]).score(found[1::2], own[1::2]) > 0.95


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_embedding_that_is_not_finite_is_an_error(value):
    values, _ = clusters(20)
    values[3, 5] = value
    with pytest.raises(Diverged, match=r"embeddings of 1 of 20 test images are not finite"):
        embedding_map.positions(values, seed=0)


def test_points_fill_a_square_without_being_stretched():
    found = embedding_map.positions(clusters(60)[0], seed=0)
    assert found.min() >= 0
    assert found.max() <= 1
    assert np.ptp(found, axis=0).max() == pytest.approx(1)


def test_points_beyond_the_limit_lie_among_their_own(monkeypatch):
    monkeypatch.setattr(embedding_map, "MOST_ARRANGED", 90)
    values, own = clusters(300)
    found = embedding_map.positions(values, seed=0)
    assert np.isfinite(found).all()
    assert KNeighborsClassifier(5).fit(found, own).score(found, own) == 1


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 10])
def test_few_points_have_positions(count):
    found = embedding_map.positions(clusters(count)[0], seed=0)
    assert found.shape == (count, 2)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("units", [1, 2])
def test_narrow_embeddings_have_positions(units):
    found = embedding_map.positions(clusters(30, units)[0], seed=0)
    assert np.isfinite(found).all()


def test_equal_embeddings_share_a_place():
    found = embedding_map.positions(np.ones((20, 4), np.float32), seed=0)
    assert found.tolist() == [[0.5, 0.5]] * 20


SCRIPT = """
import sys; sys.path[:0] = {paths!r}
import numpy as np
from test_embedding_map import clusters
from trackbed.evaluation import embedding_map
print(embedding_map.positions(clusters(400)[0], seed=3).tobytes().hex())
"""


def test_another_process_with_one_core_makes_the_same_map():
    code = SCRIPT.format(paths=[*sys.path, __file__.rpartition("/")[0]])
    command = ["taskset", "-c", "0", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    here = embedding_map.positions(clusters(400)[0], seed=3)
    assert done.stdout.strip() == here.tobytes().hex()


def test_the_table_names_the_records(tmp_path):
    rows = pd.DataFrame({"record": [7, 9, 12]})
    embedding_map.MAP_TABLE.write(tmp_path, embedding_map.table(rows, clusters(3)[0], 0))
    found = embedding_map.MAP_TABLE.read(tmp_path)
    assert found["record"].tolist() == [7, 9, 12]
    assert found[["x", "y"]].to_numpy().max() <= 1
