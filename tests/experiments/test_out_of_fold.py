"""Which trainings belong together; how they are read is in tests/commands/test_suspects.py."""

import pytest

from trackbed.experiments import out_of_fold
from trackbed.experiments.training_runs import Training
from trackbed.pipeline.errors import UserError

CODE = {"stages/train.py": "c0de", "data/records": "1.dir", "data/folds": "2.dir"}


def run(fold, seed=0, dropout="0.3", name=None, inputs=CODE):
    name = name or f"cv-dropout={dropout}_fold={fold}_seed={seed}"
    return Training(name, "0" * 40, fold, seed, {"train.dropout": dropout}, inputs, "3.dir")


def names(setting):
    return [one.name for one in setting.runs]


def test_runs_that_differ_in_the_fold_alone_are_one_setting():
    known = [run(2), run(0), run(1), run(0, dropout="0.5")]
    setting = out_of_fold.select(known, 3)
    assert setting.folds == [0, 1, 2]
    assert names(setting) == [f"cv-dropout=0.3_fold={fold}_seed=0" for fold in (0, 1, 2)]


def test_a_repeated_run_of_a_fold_counts_once():
    known = [run(0, name="first"), run(0, name="again"), run(1, name="other")]
    assert names(out_of_fold.select(known, 2)) == ["first", "other"]
    assert names(out_of_fold.select(known, 2, name="again")) == ["first", "other"]


def test_every_fold_has_the_same_seeds():
    known = [run(fold, seed) for fold, seed in ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2))]
    setting = out_of_fold.select(known, 2)
    assert [(one.fold, one.seed) for one in setting.runs] == [(0, 1), (0, 2), (1, 1), (1, 2)]


def test_folds_of_different_seeds_are_not_combined():
    with pytest.raises(UserError, match=r"validated on fold 0, missing 1 of 2"):
        out_of_fold.select([run(0, seed=0), run(1, seed=1)], 2)


def test_missing_folds_are_listed_with_a_remedy():
    with pytest.raises(UserError) as error:
        out_of_fold.select([run(1), run(3), run(0, dropout="0.5")], 5)
    assert "validated on fold 1, 3, missing 0, 2, 4 of 5" in str(error.value)
    assert "trackbed sweep --folds all" in str(error.value)
    assert "--partial" in str(error.value)


def test_partial_accepts_missing_folds():
    setting = out_of_fold.select([run(1), run(3), run(0, dropout="0.5")], 5, partial=True)
    assert setting.folds == [1, 3]


def test_one_of_several_settings_has_to_be_chosen():
    known = [run(fold, dropout=value) for value in ("0.3", "0.5") for fold in (0, 1)]
    with pytest.raises(UserError) as error:
        out_of_fold.select(known, 2)
    assert "2 settings were validated on as many folds" in str(error.value)
    assert "--setting cv-dropout=0.5_fold=0_seed=0: train.dropout=0.5" in str(error.value)
    chosen = out_of_fold.select(known, 2, name="cv-dropout=0.5_fold=1_seed=0")
    assert {one.params["train.dropout"] for one in chosen.runs} == {"0.5"}


def test_other_code_is_another_setting():
    known = [run(0), run(1), run(0, inputs=CODE | {"stages/train.py": "0ther"}, name="coded")]
    assert len(out_of_fold.by_setting(known)) == 2
    known.append(run(1, inputs=CODE | {"stages/train.py": "0ther"}))
    with pytest.raises(UserError, match="coded: the same parameters, other code or inputs"):
        out_of_fold.select(known, 2)


def test_an_unknown_name_and_no_run_at_all_are_refused():
    with pytest.raises(
        UserError, match=r"--setting x: no finished .* Known: cv-dropout=0.3_fold=0"
    ):
        out_of_fold.select([run(0)], 2, name="x")
    with pytest.raises(UserError, match="No finished training is known"):
        out_of_fold.select([], 2)
