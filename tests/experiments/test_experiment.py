"""Experiments as git has them, made by the real dvc."""

import pytest
import sweeping

from trackbed.experiments import experiment
from trackbed.integrity import git


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """An experiment of HEAD's code and one of other code, which was never committed."""
    project = sweeping.create(tmp_path_factory.mktemp("experiments"))
    run = ("dvc", "exp", "run", "--temp", "-n")
    project.run(*run, "plain", "-S", "train.learning_rate=1e-5")
    stage = project.folder / "stages/train.py"
    code = stage.read_text()
    stage.write_text(code.replace("score = 0.9", "score = 0.5"))
    project.run(*run, "sweep-dropout=0.1", "-S", "train.dropout=0.1")
    stage.write_text(code)
    return project


def test_parameters_scores_and_curves(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    other, plain = sorted(experiment.finished(git.commit()), key=lambda one: one.name)[::-1]
    assert (other.name, plain.name) == ("sweep-dropout=0.1", "plain")
    # PyYAML would read 1e-05 as text and 0.00001 as a number.
    assert plain.params["train.learning_rate"] == "1e-05"
    assert plain.validation["best.val_macro_f1"] == pytest.approx(0.6)
    assert plain.test["macro_f1"] == pytest.approx(0.55)
    curve = experiment.read_curves([plain], ["val/loss", "val/nothing"])["plain"]
    assert list(curve) == ["val/loss"]
    assert curve["val/loss"].index.tolist() == [1, 2, 3]
    assert curve["val/loss"].iloc[-1] == pytest.approx(0.6)


def test_only_the_same_code_stands_for_a_run(project, monkeypatch):
    monkeypatch.chdir(project.folder)
    baseline = git.commit()
    known = experiment.finished(baseline)
    by_name = {one.name: one for one in known}
    plain, coded = by_name["plain"], by_name["sweep-dropout=0.1"]
    assert experiment.equivalent(plain.params, known, baseline, "any") is plain
    assert experiment.equivalent(coded.params, known, baseline, coded.name) is None
    assert experiment.equivalent(plain.params | {"train.seed": "7"}, known, baseline, "any") is None


def test_an_experiment_of_other_code_is_never_overwritten(project):
    done = sweeping.called(project, "sweep", "-S", "train.dropout=0.1")
    assert done.returncode == 2
    assert "sweep-dropout=0.1: experiments of that name have other code" in done.stderr


def test_a_commit_that_does_not_exist_is_refused(project):
    done = sweeping.called(project, "best", "--rev", "nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("trackbed: git rev-parse: ")


@pytest.mark.parametrize(
    ("column", "lower"),
    [
        ("val_loss", True),
        ("val_macro_f1", False),
        ("test_brier", True),
        ("test_calibration_error", True),
        ("test_accuracy", False),
        ("seconds", True),
    ],
)
def test_losses_errors_and_times_are_better_where_lower(column, lower):
    assert experiment.lower_is_better(column) == lower


def test_a_fold_that_is_no_number_counts_as_the_first():
    # 1.0 and 1 are one value; `false` may stand in a params.yaml that DVC rewrote.
    values = {"train.fold": "false", "train.seed": "", "split.folds": "many"}
    one = experiment.Experiment("x", "0" * 40, values, {}, {})
    (row,) = experiment.run_table([one], []).to_dict("records")
    assert (row["fold"], row["seed"], row["folds"]) == (0, 0, 0)
