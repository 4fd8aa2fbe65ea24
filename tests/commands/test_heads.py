"""`trackbed heads` on embeddings in which the classes lie apart."""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from trackbed import cli
from trackbed.commands import heads
from trackbed.pipeline import index
from trackbed.records import embedding_store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A project of 60 records in two classes and three folds, with embeddings of 8 numbers."""
    labels, random = np.arange(60) % 2, np.random.default_rng(0)
    blank = {name: "x" if kind == "str" else 0 for name, kind in index.INDEX_TABLE.columns.items()}
    known = {"record": range(60), "label": labels, "class_name": np.where(labels, "B", "A")}
    known |= {"filename": [f"{number}.png" for number in range(60)], "part": "train"}
    table = pd.DataFrame(blank | known, index=range(60))
    (tmp_path / "data/records").mkdir(parents=True)
    index.INDEX_TABLE.write(tmp_path / "data/records", table)
    (tmp_path / "data/folds").mkdir()
    index.FOLDS_TABLE.write(tmp_path / "data/folds", table.assign(fold=np.arange(60) // 2 % 3))
    values = random.normal(size=(60, 8)) + 2.0 * labels[:, None]
    about = {"network": "rails", "weights": "none", "augment": "[]"}
    (tmp_path / "data/embeddings").mkdir()
    np.save(tmp_path / "data/embeddings/embeddings.npy", values[None].astype(np.float32))
    embedding_store.write_about(
        tmp_path / "data/embeddings", frozen=True, backbone="", of=about, exact=True, views=0
    )
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["train"] |= {"network": "rails", "augment": [], "epochs": 6, "warmup_epochs": 0}
    values["train"] |= {"batch": 8}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    return tmp_path


def called(folder, *arguments):
    with contextlib.chdir(folder):
        return cli.main(["heads", *arguments])


def test_settings_are_ranked_and_every_fold_is_written(folder, capsys):
    given = ["-S", "train.learning_rate=1e-7,0.02", "-S", "train.dropout=0,0.2"]
    assert called(folder, *given, "--csv", "scores.csv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4 settings on 3 folds")
    assert [line.split()[0] for line in lines[2:]] == ["0.02", "0.02", "1e-07", "1e-07"]
    scores = pd.read_csv(folder / "scores.csv")
    assert len(scores) == 12
    learned = scores["train.learning_rate"] == 0.02
    assert scores["val_accuracy"][learned].min() > 0.8  # the classes are 5.7 deviations apart
    assert scores["val_loss"][learned].max() < scores["val_loss"][~learned].min()
    assert not (folder / "models").exists()


def test_some_folds_and_no_grid(folder, capsys):
    assert called(folder, "--folds", "1") == 0
    assert "1 setting on 1 fold;" in capsys.readouterr().out


def test_clipping_and_a_falling_rate_can_be_compared(folder, capsys):
    assert called(folder, "-S", "train.clip_norm=0,1", "-S", "train.schedule=plateau,cosine") == 0
    assert "4 settings on 3 folds" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-S", "train.network=gtsrb"], "the embeddings are of rails, not gtsrb"),
        (["-S", "train.droput=0.1"], "unknown key 'droput'. Did you mean 'dropout'?"),
        (["-S", "train.dropout=2"], "train.dropout: must be below 1, got 2"),
        (["-S", "data.source=x"], "must be a key of section train"),
        (["-S", "train.dropout=0.1,.10"], "the same setting comes twice, train.dropout=0.1"),
        (["-S", "train.dropout=interval(0,1)"], "an interval has no list of values"),
        (["-S", "train.loss=[focal"], "-S train.loss=[focal: not a value that DVC can read"),
        (["--folds", "7"], "must be below split.folds (3), got 7"),
        (["--folds", "x"], "must be 'all' or numbers"),
    ],
)
def test_what_cannot_be_trained_together_is_refused(folder, capsys, arguments, words):
    assert called(folder, *arguments) != 0
    assert words in capsys.readouterr().err


def test_without_embeddings_the_error_names_dvc_exp_run(folder, capsys):
    shutil.rmtree(folder / "data/embeddings")
    (folder / "data/embeddings").mkdir()
    embedding_store.write_about(folder / "data/embeddings", frozen=False)
    assert called(folder) != 0
    assert "for frozen backbones. Use `dvc exp run" in capsys.readouterr().err


def test_equal_scores_are_ranked_by_the_lower_loss():
    scores = pd.DataFrame({"train.units": ["a", "b", "c", "d"], "train.fold": 0})
    scores["val_macro_f1"] = scores["val_accuracy"] = [0.8, 0.9, 0.9, np.nan]
    lines = heads.ranked(scores.assign(val_loss=[0.1, 0.5, 0.4, 0.0]), ["train.units"]).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["c", "b", "a", "d"]


def test_a_setting_that_diverges_on_a_fold_comes_last():
    scores = pd.DataFrame({"train.units": ["a", "a", "b", "b"], "train.fold": [0, 1, 0, 1]})
    for name in ("val_macro_f1", "val_accuracy", "val_loss"):
        scores[name] = [0.99, np.nan, 0.5, 0.6]
    lines = heads.ranked(scores, ["train.units"]).splitlines()
    assert "1 setting diverged (-): lower train.learning_rate" in lines[0]
    assert [line.split()[:2] for line in lines[2:]] == [["b", "0.5500"], ["a", "-"]]
