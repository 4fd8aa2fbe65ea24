import hashlib

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from trackbed.inference import novelty
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline.errors import Damaged, UserError
from trackbed.pipeline.outputs import write_arrays

RANDOM = np.random.default_rng(0)
UNITS = 48


def pictures(count, units=UNITS):
    """Embeddings as behind a ReLU: not negative, of very different lengths."""
    lengths = RANDOM.uniform(0.01, 50, (count, 1))
    return (np.maximum(RANDOM.normal(size=(count, units)), 0) * lengths).astype(np.float32)


@pytest.fixture(scope="module")
def reference():
    return novelty.build(pictures(700), pictures(300))


def stored(folder, **arrays):
    """An exported model that has nothing but these arrays."""
    write_arrays(folder / "reference.npz", arrays)
    return described(folder)


def described(folder):
    """The same with the file of the folder as it is now."""
    digest = hashlib.sha256((folder / "reference.npz").read_bytes()).hexdigest()
    return ExportedModel(folder, {"files": {"reference.npz": {"sha256": digest}}}, session=None)


def test_distances_are_those_of_scikit_learn():
    training, new = pictures(700), pictures(400)
    reference = novelty.build(training, pictures(10))
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (training, new)]
    nearest = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(unit[0])
    expected = nearest.kneighbors(unit[1])[0][:, 2]
    # The grid moves a component by at most 2**-12, which 48 units sum up to 0.0017 at worst.
    np.testing.assert_allclose(reference.distances(new), expected, atol=2e-3)


def test_the_rank_counts_held_out_images_as_far_or_farther():
    angles = np.radians([0, 10, 20, 30, 40])
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    reference = novelty.build(circle[[0, 0, 0, 3]], circle[1:])
    # As far as the image at 20 degrees, so 3 of 4 held-out images and itself; nearer than all;
    # farther than all.
    ranks = reference.rank(np.concatenate([7 * circle[2:3], circle[:1], -circle[:1]]))
    assert ranks.tolist() == [4 / 5, 1, 1 / 5]
    assert reference.novelty(circle[:1]).tolist() == [0]


def test_one_picture_in_a_hundred_has_a_rank_of_one_percent():
    training, held_out, new = (pictures(count, 8) for count in (500, 2000, 5000))
    ranks = novelty.build(training, held_out).rank(new)
    for share in (0.01, 0.05, 0.5):
        deviation = np.sqrt(share * (1 - share) / 2000)  # of the held-out images' quantile
        assert np.mean(ranks <= share) == pytest.approx(share, abs=4 * deviation)


def test_equal_distances_for_any_number_of_images_at_a_time(reference):
    new = pictures(600)
    together = reference.distances(new)
    assert np.array_equal(together, [reference.distances(one[None])[0] for one in new])
    backwards = novelty.Reference(reference.training[::-1, ::-1].copy(), reference.held_out)
    assert np.array_equal(together, backwards.distances(new[:, ::-1]))  # sums in another order


def test_no_images_have_no_ranks(reference):
    assert reference.rank(np.empty((0, UNITS), np.float32)).shape == (0,)


def test_an_embedding_of_zeros_is_far_from_all(reference):
    assert reference.distances(np.zeros((1, UNITS), np.float32))[0] == pytest.approx(1, abs=0.01)


def test_what_is_stored_is_what_was_built(reference, tmp_path):
    loaded = novelty.read(stored(tmp_path, **reference.arrays()))
    assert np.array_equal(loaded.training, reference.training)
    assert np.array_equal(loaded.held_out, reference.held_out)


def test_a_reference_needs_images():
    with pytest.raises(ValueError, match="needs training images and held-out images"):
        novelty.build(pictures(5), pictures(0))


def test_a_small_set_is_chosen_whole():
    assert novelty.chosen(np.array([1, 0, 1, 2]), UNITS).tolist() == [0, 1, 2, 3]


def test_of_many_images_rare_classes_keep_all_theirs():
    labels = np.repeat([0, 1, 2], [10, 4_000, 9_000])
    places = novelty.chosen(labels, UNITS)
    assert np.bincount(labels[places]).tolist() == [10, 2_495, 2_495]
    assert len(np.unique(places)) == len(places)
    assert np.diff(places).max() < 5  # evenly spread


def test_wide_embeddings_are_fewer():
    places = novelty.chosen(np.zeros(9_000, int), 2048)
    assert len(places) * 2048 <= 4_000_000 < (len(places) + 1) * 2048


def test_a_model_may_come_without_a_reference(tmp_path):
    assert novelty.read(ExportedModel(tmp_path, {"files": {}}, session=None)) is None


def test_a_missing_or_changed_file_is_refused(tmp_path):
    model = stored(tmp_path, **GOOD)
    with (tmp_path / "reference.npz").open("ab") as file:
        file.write(b"0")
    with pytest.raises(Damaged, match=r"reference\.npz: differs from its digest"):
        novelty.read(model)
    (tmp_path / "reference.npz").unlink()
    with pytest.raises(UserError, match=r"reference\.npz: No such file .*dvc repro export"):
        novelty.read(model)


GOOD = {"training": np.eye(3, dtype=np.float16), "held_out": np.float32([0.1, 0.2])}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"training": np.eye(3, dtype=np.float16)[0]}, r"training images of shape \(3,\)"),
        ({"training": np.full((2, 3), np.nan, np.float16)}, "no unit vectors"),
        ({"training": np.full((2, 3), 7, np.float16)}, "no unit vectors"),
        ({"training": np.array([["a"]])}, "could not convert"),
        ({"held_out": np.float32([])}, r"held-out images of shape \(0,\)"),
        ({"held_out": np.float64([0.1, 0.2])}, "type float64"),
        ({"held_out": np.float32([0.2, 0.1])}, "out of order"),
        ({"held_out": np.float32([0.1, np.inf])}, "out of order"),
    ],
)
def test_other_arrays_are_refused(tmp_path, changes, problem):
    with pytest.raises(Damaged, match=problem):
        novelty.read(stored(tmp_path, **GOOD | changes))


def test_broken_files_are_refused(tmp_path):
    path = stored(tmp_path, **GOOD).folder / "reference.npz"
    whole = path.read_bytes()
    for content in (b"", whole[:-30], whole[:100], b"no archive", whole.replace(b"<f2", b"|O8")):
        path.write_bytes(content)
        with pytest.raises(Damaged, match=r"reference\.npz: broken"):
            novelty.read(described(tmp_path))
    path.write_bytes(b"0" * (novelty.MAX_BYTES + 1))
    with pytest.raises(Damaged, match="more than 33,554,432 bytes"):
        novelty.read(described(tmp_path))
