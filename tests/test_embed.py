"""A frozen backbone in the whole pipeline: it sees every image once, whatever is swept."""

import numpy as np
import pandas as pd
import pytest
from project import copied

from trackbed.pipeline import index, tables
from trackbed.records import embedding_store

pytestmark = pytest.mark.slow

FROZEN = {"network": "rails", "image_side": 32, "epochs": 3, "augment": [], "batch": 8}


@pytest.fixture(scope="module")
def frozen(finished, tmp_path_factory):
    """A project with the rails network on random weights, run once."""
    project = copied(finished, tmp_path_factory.mktemp("frozen") / "project")
    project.change(train=FROZEN)
    project.run("dvc", "repro")
    project.commit("results")
    return project


def test_every_record_has_an_embedding(frozen):
    stored = embedding_store.read(frozen.folder / "data/embeddings")
    records = pd.read_csv(frozen.folder / "data/records/index.csv")
    found = stored.of(records)
    assert found.shape == (len(records), 2048)
    assert len(np.unique(found, axis=0)) == len(records)


def test_the_saved_model_predicts_what_was_scored(frozen):
    import keras

    from trackbed.records import reader

    model = keras.models.load_model(frozen.folder / "models/model.keras", safe_mode=True)
    scored = pd.read_csv(frozen.folder / "data/evaluation/predictions.csv")
    table = index.read(frozen.folder / "data/records")
    rows = table.set_index("record", drop=False).loc[scored["record"]]
    images = reader.pixels(frozen.folder / "data/records", rows, 32, 32)
    confidence = model.predict(images, verbose=0).max(axis=1)
    np.testing.assert_allclose(confidence, scored["confidence"], atol=1e-3)


def test_a_sweep_over_head_and_fold_embeds_only_once(frozen):
    frozen.change(train={"learning_rate": 0.01, "dropout": 0.1, "optimizer": "sgd", "fold": 1})
    output = frozen.run("dvc", "repro", "--dry")
    assert "Stage 'embed' didn't change, skipping" in output
    assert "Running stage 'train'" in output
    frozen.run("git", "checkout", "-q", ".")


def test_views_are_embedded_and_precision_is_measured(frozen):
    frozen.change(
        embed={"views": 2, "precision": "bfloat16"},
        train={"augment": [{"name": "flip", "mode": "horizontal"}]},
    )
    output = frozen.run("dvc", "repro")
    assert "images embedded by rails, tensorflow, bfloat16" in output
    scores = tables.metrics(frozen.folder / "metrics/evaluate.json", "")
    assert 0 <= scores["embed_equal"] <= 1
    low, high = (scores[f"embed_macro_f1_difference_{end}"] for end in ("low", "high"))
    assert low <= scores["embed_macro_f1_difference"] <= high
    views = np.load(frozen.folder / "data/embeddings/views.npy")
    assert views.shape[0] == 2
    assert not np.array_equal(*views)
    assert embedding_store.read(frozen.folder / "data/embeddings").seen().shape[0] == 3
    assert "Equal with quick embeddings" in (frozen.folder / "plots/report.html").read_text()
    frozen.run("git", "checkout", "-q", ".")
    frozen.run("dvc", "checkout", "-q")


def test_evaluate_refuses_embeddings_of_another_model(frozen):
    path = frozen.folder / "data/embeddings" / embedding_store.STORED_FILE
    values = np.load(path)
    path.unlink()
    np.save(path, values[:, ::-1])
    stage = ("python", "stages/evaluate.py", "data", "models", "exported")
    stage += ("metrics", "plots")
    output = frozen.run(*stage, succeeds=False)
    assert "from images and from embeddings differ" in output
    assert "Traceback" not in output
