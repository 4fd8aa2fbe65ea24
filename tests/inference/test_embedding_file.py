import io

import numpy as np
import pytest

from trackbed.inference import embedding_file
from trackbed.pipeline.errors import UserError

ROWS = np.random.default_rng(0).normal(size=(1234, 5)).astype(np.float32)


def write(path, rows=ROWS):
    with embedding_file.opened(path) as file:
        for number, row in enumerate(rows):
            file.add(f"{number}.jpg", row)
    return path.read_bytes()


def test_a_matrix_is_the_file_that_numpy_writes(tmp_path):
    content = write(tmp_path / "e.npy")
    expected = io.BytesIO()
    np.save(expected, ROWS)
    assert content == expected.getvalue()


def test_names_stand_beside_the_rows(tmp_path):
    content = write(tmp_path / "e.npz")
    with np.load(tmp_path / "e.npz", allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["embeddings"], ROWS)
        assert stored["files"].tolist() == [f"{number}.jpg" for number in range(1234)]
    assert write(tmp_path / "again.npz") == content


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_no_answer_at_all_is_an_empty_matrix(tmp_path, ending):
    path = tmp_path / f"e.{ending}"
    write(path, [])
    stored = np.load(path)
    assert (stored if ending == "npy" else stored["embeddings"]).shape == (0, 0)


def test_nothing_is_left_after_an_error(tmp_path):
    for name in ("e.npy", "e.npz"):
        with pytest.raises(KeyError), embedding_file.opened(tmp_path / name) as rows:
            rows.add("a", ROWS[0])
            raise KeyError
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"must end in \.npy or \.npz"):
        write(tmp_path / "e.csv")
