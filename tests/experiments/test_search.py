import pytest

from trackbed.experiments import search
from trackbed.experiments.search import Range
from trackbed.pipeline.errors import UserError


def test_ranges_and_choices():
    given = ["train.learning_rate=1e-5..1e-2:log", "train.dropout=0..0.5", "train.units=32..512"]
    assert search.search_space([*given, "train.optimizer=adam,sgd", "train.loss=focal"]) == {
        "train.learning_rate": Range(1e-5, 1e-2, log=True, whole=False),
        "train.dropout": Range(0, 0.5, log=False, whole=False),
        "train.units": Range(32, 512, log=False, whole=True),
        "train.optimizer": ["adam", "sgd"],
        "train.loss": ["focal"],
    }


def test_intervals_of_hydra_are_ranges():
    given = ["train.dropout=interval(0.0,0.5)", "train.units=int(interval(8,64))"]
    given += ["train.l2=tag(log,interval(1e-6,1e-2))", "train.optimizer=choice(adam,sgd)"]
    given += ["train.augment=[],[{name: flip, mode: horizontal}]"]
    assert search.search_space(given) == {
        "train.dropout": Range(0, 0.5, log=False, whole=False),
        "train.units": Range(8, 64, log=False, whole=True),
        "train.l2": Range(1e-6, 1e-2, log=True, whole=False),
        "train.optimizer": ["adam", "sgd"],
        "train.augment": ["[]", "[{name:flip,mode:horizontal}]"],
    }


@pytest.mark.parametrize(
    "text",
    ["interval(1,1)", "tag(log,interval(0,1))", "3..1", "a..b", "0..1:log", "1..1", "1..2..3"],
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(UserError, match=r"must be LOW\.\.HIGH or LOW\.\.HIGH:log"):
        search.search_space([f"train.dropout={text}"])


def test_both_ends_are_among_the_extremes():
    space = search.search_space(["train.dropout=0..0.5", "train.units=8..16", "train.loss=a,b"])
    found = search.extreme_settings(space)
    # And one inside: 0 and 1 are whole numbers, what lies between is none.
    assert {setting["train.dropout"] for setting in found} == {"0", "0.315", "0.5"}
    assert {setting["train.units"] for setting in found} == {"8", "16"}
    assert {setting["train.loss"] for setting in found} == {"a", "b"}


def test_a_search_finds_a_peak_and_is_the_same_every_time():
    pytest.importorskip("optuna")
    space = search.search_space(["train.learning_rate=1e-5..1e-1:log", "train.loss=good,bad"])

    def found_by_search():
        study, asked = search.create_study(1), []
        for number in range(40):
            trial = study.ask()
            setting = search.suggest(trial, space)
            asked.append(setting)
            rate = float(setting["train.learning_rate"])
            assert 1e-5 <= rate <= 1e-1
            score = -abs(rate - 0.01) - (setting["train.loss"] == "bad")
            # A failed run teaches nothing and ends nothing.
            search.report_scores(study, trial, [None] if number == 5 else [score, score])
        return study, asked

    study, asked = found_by_search()
    assert study.best_params["train.loss"] == "good"
    assert study.best_params["train.learning_rate"] == pytest.approx(0.01, rel=0.3)
    assert len(study.trials) == 40
    assert found_by_search()[1] == asked
    assert all(len(setting["train.learning_rate"]) <= 8 for setting in asked)
