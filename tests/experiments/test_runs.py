import subprocess

import pytest
from hydra.core.override_parser.types import Quote, QuotedString

from trackbed.experiments import overrides, runs
from trackbed.pipeline.errors import UserError


def quoted(text):
    """Text as Hydra takes it on the command line."""
    return QuotedString(text, Quote.single).with_quotes()


def test_names_speak():
    settings = overrides.grid(["train.learning_rate=1e-3,1e-4", "train.dropout=0.2"])
    planned = runs.planned("sweep", settings, [0, 1], [])
    assert [run.name for run in planned] == [
        "sweep-dropout=0.2_learning_rate=0.001_fold=0",
        "sweep-dropout=0.2_learning_rate=0.001_fold=1",
        "sweep-dropout=0.2_learning_rate=0.0001_fold=0",
        "sweep-dropout=0.2_learning_rate=0.0001_fold=1",
    ]
    assert planned[0].setting == {
        "train.learning_rate": "0.001",
        "train.dropout": "0.2",
        "train.fold": "0",
    }


def test_order_and_notation_do_not_matter():
    one = {"train.learning_rate": "1e-3", "train.dropout": ".20"}
    other = {"train.dropout": "0.2", "train.learning_rate": "0.001"}
    assert runs.run_name("s", one) == runs.run_name("s", other)


def test_keys_of_two_sections_keep_them_apart():
    assert runs.run_name("s", {"train.batch": "8", "embed.batch": "4"}) == (
        "s-embed.batch=4_train.batch=8"
    )


@pytest.mark.parametrize(
    "value",
    [
        "models/ü weights.keras",
        "a..b",
        "x.lock",
        "y.",
        "@{1}",
        "[{name: flip, mode: horizontal}]",
        "~^:?*[\\",
        "long" * 60,
        "$(touch /tmp/x); `x`",
    ],
)
def test_whatever_the_value_git_takes_the_name(value):
    name = runs.run_name("s", {"train.weights": quoted(value)})
    done = subprocess.run(["git", "check-ref-format", f"refs/exps/ab/cd/{name}"], check=False)
    assert done.returncode == 0
    assert len(name) <= runs.MAX_NAME_LENGTH
    assert name.isascii()


def test_values_that_look_alike_after_cleaning_get_other_names():
    texts = ("a b", "a/b", "a:b", "a-b", "[a,b]", "{a: b}")
    assert len({runs.run_name("s", {"train.weights": text}) for text in texts}) == len(texts)


def test_names_of_keys_with_signs_and_of_whole_sections():
    assert runs.run_name("s", {"++train.dropout": ".2"}) == "s-dropout=0.2"
    assert runs.run_name("s", {"train": "{batch: 8}"}).startswith("s-train=-batch-")
    assert runs.run_name("s", {"~train.l2": "null"}).startswith("s--train.l2=null-")


@pytest.mark.parametrize(
    ("values", "message"),
    [("0.2,0.20", "the same run comes twice"), ("1e-3,0.001", "the same run comes twice")],
)
def test_equal_runs_are_refused(values, message):
    with pytest.raises(UserError, match=message):
        runs.planned("s", overrides.grid([f"train.dropout={values}"]), [], [])


@pytest.mark.parametrize("prefix", ["", "-x", "a b", "a/b", "a.b"])
def test_a_prefix_that_cannot_begin_a_name_is_refused(prefix):
    with pytest.raises(UserError, match="--prefix"):
        runs.planned(prefix, [{}], [0], [])


def test_folds_and_seeds():
    assert runs.folds_and_seeds("all", "3,4", set(), 5) == ([0, 1, 2, 3, 4], [3, 4])
    assert runs.folds_and_seeds(None, None, {"train.fold"}, 5) == ([], [])
    with pytest.raises(UserError, match="say the same"):
        runs.folds_and_seeds("all", None, {"train.fold"}, 5)
    with pytest.raises(UserError, match="leave that out"):
        runs.folds_and_seeds("all", None, {"split.folds"}, 5)
    with pytest.raises(UserError, match="--seeds 0,0: must be different whole numbers"):
        runs.folds_and_seeds(None, "0,0", set(), 5)
