from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from trackbed.networks import embeddings, registry
from trackbed.networks.spec import Spec
from trackbed.pipeline import tensorflow_setup
from trackbed.pipeline.errors import Damaged, Diverged, UserError

# Grey images whose "embedding" is their brightness and its double.
IMAGES = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
TABLE = pd.DataFrame({"record": range(10), "part": ["train"] * 6 + ["test"] * 4})
TABLE = TABLE.sample(frac=1, random_state=0).sort_values("record")


def brightness(images, times=1.0):
    grey = images[:, 0, 0, 0].astype(np.float32) * times
    return np.stack([grey, 2 * grey], axis=1)


def stored(folder, *, views=0, exact=True):
    training, test = (np.flatnonzero(TABLE["part"] == part) for part in ("train", "test"))
    embeddings.write(folder / embeddings.STORED_FILE, IMAGES, np.arange(10), [brightness], 3)
    if views:
        functions = [lambda images, k=k: brightness(images, k + 2) for k in range(views)]
        embeddings.write(folder / embeddings.VIEWS_FILE, IMAGES, training, functions, 4)
    if not exact:
        exactly = [lambda images: brightness(images, 1.5)]
        embeddings.write(folder / embeddings.REFERENCE_FILE, IMAGES, test, exactly, 4)
    embeddings.write_about(folder, frozen=True, backbone="abc", views=views, exact=exact)
    return embeddings.read(folder)


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
    embeddings.write_about(tmp_path, frozen=False)
    assert embeddings.read(tmp_path) is None


def test_embeddings_of_another_backbone_are_refused(tmp_path):
    stored(tmp_path).refuse_other_backbone("abc")
    with pytest.raises(UserError, match=r"other weights .*dvc repro -f embed"):
        stored(tmp_path).refuse_other_backbone("abd")


def test_missing_and_cut_files_are_errors_with_a_remedy(tmp_path):
    with pytest.raises(UserError, match=r"embeddings\.json: no such file.*embed"):
        embeddings.read(tmp_path)
    found = stored(tmp_path)
    path = tmp_path / embeddings.STORED_FILE
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UserError, match=r"embeddings\.npy: not readable.*embed"):
        found.of(TABLE)


def test_two_writings_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        stored(tmp_path / name, views=2)
    for name in (embeddings.STORED_FILE, embeddings.VIEWS_FILE, embeddings.ABOUT_FILE):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_embedding_that_is_not_finite_is_not_written(tmp_path):
    def broken(images):
        return np.where(images[:, :1, 0, 0] == 7, np.inf, brightness(images))

    path = tmp_path / embeddings.STORED_FILE
    with pytest.raises(Diverged, match=r"embedding of record 7 of index\.csv is not finite"):
        embeddings.write(path, IMAGES, np.arange(10), [broken], 3)
    assert not list(tmp_path.iterdir())


def test_stored_values_that_are_not_finite_are_refused(tmp_path):
    kept = stored(tmp_path, views=1)
    for name, read in (("embeddings.npy", kept.of), ("views.npy", None)):
        values = np.load(tmp_path / name)
        values[0, 2, 0] = np.nan
        np.save(tmp_path / name, values)
        with pytest.raises(Damaged, match=rf"{name}: holds values that are not finite"):
            read(TABLE) if read else kept.training(TABLE, TABLE[:3])


IMAGES_OF_HALVES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.float32)


def network(seed=0):
    tensorflow_setup.make_deterministic(seed)
    return registry.build("MobileNetV2", Spec(32, 3, 0.1))


def test_backbone_and_head_one_after_the_other_are_the_network():
    whole = network()
    backbone, head = embeddings.backbone(whole), embeddings.head(whole)
    embedded = backbone.predict(IMAGES_OF_HALVES, verbose=0)
    assert embedded.shape == (3, 1280)
    np.testing.assert_allclose(
        head.predict(embedded, verbose=0), whole.predict(IMAGES_OF_HALVES, verbose=0), rtol=1e-5
    )


def test_the_head_shares_the_weights_of_the_network():
    whole = network()
    head = embeddings.head(whole)
    for weight in head.trainable_weights:
        weight.assign(weight * 0 + 1)
    assert whole.predict(IMAGES_OF_HALVES, verbose=0) == pytest.approx(np.full((3, 3), 1 / 3))


def test_the_seed_changes_the_head_but_no_frozen_backbone():
    first, second = network(0), network(1)
    assert embeddings.weights_digest(embeddings.backbone(first)) == embeddings.weights_digest(
        embeddings.backbone(second)
    )
    weights = [embeddings.head(whole).get_weights()[0] for whole in (first, second)]
    assert not np.array_equal(*weights)


def test_another_weight_is_another_digest():
    backbone = embeddings.backbone(network())
    before = embeddings.weights_digest(backbone)
    backbone.weights[0].assign_add(backbone.weights[0] * 0 + 1e-3)
    assert embeddings.weights_digest(backbone) != before


def choices(**changes):
    usual = {"network": "rails", "unfreeze": "none", "head_epochs": 0, "augment": []}
    return SimpleNamespace(**usual | changes)


def test_a_frozen_backbone_without_augmentation_is_embedded():
    assert embeddings.reason_not_frozen(choices(), views=0) == ""
    assert embeddings.reason_not_frozen(choices(augment=["flip"]), views=3) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"network": "small_cnn"}, "small_cnn has no backbone"),
        ({"unfreeze": "all"}, "is trained"),
        ({"unfreeze": "3"}, "is trained"),
        ({"head_epochs": 2}, "is trained"),
        ({"augment": ["flip"]}, "changes every image in every epoch"),
    ],
)
def test_why_a_network_is_not_embedded(changes, reason):
    assert reason in embeddings.reason_not_frozen(choices(**changes), views=0)


def test_the_rule_of_names_fits_every_network():
    assert all(embeddings.on_backbone(name) for name in registry.ON_BACKBONES)
    assert not any(embeddings.on_backbone(name) for name in registry.FROM_SCRATCH)
