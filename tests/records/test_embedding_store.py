from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from trackbed.pipeline.errors import Damaged, Diverged, UserError
from trackbed.records import embedding_store

# Grey images whose "embedding" is their brightness and its double.
IMAGES = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
TABLE = pd.DataFrame({"record": range(10), "part": ["train"] * 6 + ["test"] * 4})
TABLE = TABLE.sample(frac=1, random_state=0).sort_values("record")


def brightness(images, times=1.0):
    grey = images[:, 0, 0, 0].astype(np.float32) * times
    return np.stack([grey, 2 * grey], axis=1)


def stored(folder, *, views=0, exact=True):
    training, test = (np.flatnonzero(TABLE["part"] == part) for part in ("train", "test"))
    embedding_store.write(
        folder / embedding_store.STORED_FILE, IMAGES, np.arange(10), [brightness], 3
    )
    if views:
        functions = [lambda images, k=k: brightness(images, k + 2) for k in range(views)]
        embedding_store.write(folder / embedding_store.VIEWS_FILE, IMAGES, training, functions, 4)
    if not exact:
        exactly = [lambda images: brightness(images, 1.5)]
        embedding_store.write(folder / embedding_store.REFERENCE_FILE, IMAGES, test, exactly, 4)
    embedding_store.write_about(folder, frozen=True, backbone="abc", views=views, exact=exact)
    return embedding_store.read(folder)


def test_embeddings_come_back_in_the_order_of_the_rows(tmp_path):
    found = stored(tmp_path).of(TABLE.iloc[[7, 2, 9]])
    assert found.dtype == np.float32
    assert found.tolist() == [[7, 14], [2, 4], [9, 18]]


def test_training_rows_have_all_their_views(tmp_path):
    found = stored(tmp_path, views=3).training(TABLE, TABLE.iloc[[4, 1]])
    assert found.shape == (2, 3, 2)
    assert found[:, :, 0].tolist() == [[8, 12, 16], [2, 3, 4]]


def test_without_views_training_rows_have_their_embedding(tmp_path):
    assert stored(tmp_path).training(TABLE, TABLE.iloc[[4, 1]]).tolist() == [[4, 8], [1, 2]]


def test_rows_of_the_test_part_have_exact_embeddings_too(tmp_path):
    found = stored(tmp_path, exact=False)
    rows = TABLE.iloc[[8, 6]]
    assert found.of(rows)[:, 0].tolist() == [8, 6]
    assert found.reference(TABLE, rows)[:, 0].tolist() == [12, 9]
    assert stored(tmp_path).reference(TABLE, rows)[:, 0].tolist() == [8, 6]


def test_a_network_without_embeddings_leaves_a_marker(tmp_path):
    embedding_store.write_about(tmp_path, frozen=False)
    assert embedding_store.read(tmp_path) is None


def test_embeddings_of_another_backbone_are_refused(tmp_path):
    stored(tmp_path).refuse_other_backbone("abc")
    with pytest.raises(UserError, match=r"other weights .*dvc repro -f embed"):
        stored(tmp_path).refuse_other_backbone("abd")


def test_embeddings_of_a_weights_file_that_was_replaced_are_refused(tmp_path):
    weights = tmp_path / "weights.h5"
    weights.write_bytes(b"one")
    of, digest = {"weights": f"{weights}"}, embedding_store.weights_file_digest(f"{weights}")
    kept = embedding_store.Embeddings(tmp_path, {"of": of, "weights_file": digest})
    p = SimpleNamespace(weights=f"{weights}")
    kept.refuse_other_params(p)
    weights.write_bytes(b"two")
    with pytest.raises(UserError, match=r"weights\.h5 .*dvc repro -f embed"):
        kept.refuse_other_params(p)
    weights.unlink()  # what it gave is in the embeddings
    kept.refuse_other_params(p)


def test_missing_and_cut_files_are_errors_with_a_remedy(tmp_path):
    with pytest.raises(UserError, match=r"embeddings\.json: no such file.*embed"):
        embedding_store.read(tmp_path)
    found = stored(tmp_path)
    path = tmp_path / embedding_store.STORED_FILE
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UserError, match=r"embeddings\.npy: not readable.*embed"):
        found.of(TABLE)


def test_two_writings_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        stored(tmp_path / name, views=2)
    for name in (
        embedding_store.STORED_FILE,
        embedding_store.VIEWS_FILE,
        embedding_store.ABOUT_FILE,
    ):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_embedding_that_is_not_finite_is_not_written(tmp_path):
    def broken(images):
        return np.where(images[:, :1, 0, 0] == 7, np.inf, brightness(images))

    path = tmp_path / embedding_store.STORED_FILE
    with pytest.raises(Diverged, match=r"embedding of record 7 of index\.csv is not finite"):
        embedding_store.write(path, IMAGES, np.arange(10), [broken], 3)
    assert not list(tmp_path.iterdir())


def test_stored_values_that_are_not_finite_are_refused(tmp_path):
    kept = stored(tmp_path, views=1)
    for name, read in (("embeddings.npy", kept.of), ("views.npy", None)):
        values = np.load(tmp_path / name)
        values[0, 2, 0] = np.nan
        np.save(tmp_path / name, values)
        with pytest.raises(Damaged, match=rf"{name}: holds values that are not finite"):
            read(TABLE) if read else kept.training(TABLE, TABLE[:3])


def test_images_and_their_views_come_back_to_be_seen(tmp_path):
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    kept = stored(tmp_path)
    assert kept.seen() is None
    embedding_store.write_seen(tmp_path, images, [lambda some: some + 200.4, lambda some: some * 2])
    found = kept.seen()
    assert (found.shape, found.dtype) == ((3, 2, 4, 4, 3), np.uint8)
    np.testing.assert_array_equal(found[1], np.minimum(images.astype(int) + 200, 255))
    np.testing.assert_array_equal(found[2], images * 2)
    (tmp_path / embedding_store.SEEN_FILE).write_bytes(b"PK cut")
    with pytest.raises(UserError, match=r"seen\.npz: not readable .*dvc repro -f embed"):
        kept.seen()
