"""What is known of real runs is found: one test per line of ../shared/logs/README.md."""

import histories
import pytest

from trackbed.curves import log_readers
from trackbed.curves.analysis import analysis, read_class_scores


@pytest.fixture
def found():
    """A function from the name of a log (and options) to its analysis; skips without the logs."""
    if not histories.LOGS.is_dir():
        pytest.skip(f"no training histories at {histories.LOGS.parent.name}/{histories.LOGS.name}")
    return lambda name, **options: analysis(log_readers.read(histories.LOGS / name), **options)


def anomalies(run, kind):
    return {one.column: one.epochs for one in run.anomalies if one.kind == kind}


def test_rails_is_a_good_fit_that_was_not_stopped(found):
    run = found("rails-resnet50v2.csv", patience=5)
    best = run.best
    assert (best.epoch, best.value) == (28, 0.0210)
    assert best.others["val_categorical_accuracy"] == 0.9940
    assert best.so_far == (*range(1, 12), 13, 14, 15, 17, 18, 21, 23, 25, 28)
    assert best.stop.verdict == "no"
    assert found("rails-resnet50v2.csv").best.stop.verdict == "no"  # without its patience, too
    assert run.fit.verdict == "good fit"
    loss = next(one for one in run.convergence if one.column == "val_loss")
    assert loss.converged
    assert loss.settled <= 15
    assert [one.word for one in loss.ranges if one.first > 15] == ["converged", "converged"]


def test_the_small_scene_network_under_fits(found):
    run = found("scenes-underfitting.csv")
    assert run.fit.verdict == "under-fitting"
    assert run.fit.training_score == pytest.approx(0.59, abs=0.01)
    assert (run.best.epoch, run.best.value) == (7, 1.4311)
    assert run.fit.rises
    assert run.fit.onset == 7


def test_the_large_scene_network_over_fits(found):
    run = found("scenes-overfitting.csv")
    assert run.fit.verdict == "over-fitting"
    assert (run.fit.onset, run.fit.best_loss) == (9, 0.6521)
    assert run.fit.last_loss > 3 * run.fit.best_loss
    assert run.fit.growth.low > 0
    accuracy = next(one for one in run.milestones if one.column == "accuracy")
    assert accuracy.values[50] == pytest.approx(0.999, abs=0.0005)


def test_the_optimized_scene_network_fits(found):
    run = found("scenes-optimized.csv")
    assert run.fit.verdict == "good fit"
    assert (run.best.epoch, run.best.value) == (42, 0.5792)
    assert abs(run.fit.training_score - run.fit.validation_score) < 0.02


def test_signs_stopped_early_after_three_rate_drops(found):
    run = found("gtsrb-resnet50.csv", monitor="val_accuracy")
    best = run.best
    assert (best.epoch, best.value, best.tied) == (18, 1.0, (18, 19))
    assert best.so_far == (1, 2, 3, 8, 18)
    assert (best.stop.verdict, best.stop.patience, best.last_epoch) == ("likely", 10, 28)
    assert run.schedule.shape == "drops"
    assert [drop.epoch for drop in run.schedule.drops] == [8, 24, 28]
    assert [drop.after / drop.before for drop in run.schedule.drops] == [0.5, 0.5, 0.5]
    assert anomalies(run, "spike")["val_loss"] == (4, 5)
    known = found("gtsrb-resnet50.csv", monitor="val_accuracy", patience=10)
    assert known.best.stop.verdict == "yes"


def test_traffic_signs_by_class(found):
    scores = read_class_scores(histories.LOGS / "gtsrb-resnet50-per-class.csv")
    assert scores.best_f1 == 1.0
    assert {"0", "9", "14", "38"} <= set(scores.best)
    assert "1" not in scores.best
    assert scores.worst == {"22": 0.873, "41": 0.876, "42": 0.902}
    assert scores.support == 12630
    assert round(scores.weighted["accuracy"], 4) == 0.9911


def test_railway_animals_changed_their_regime_with_mosaic(found):
    run = found("railway-animals-yolo11n.csv")
    assert anomalies(run, "regime change") == {"train/cls_loss": (41,)}
    change = next(one for one in run.anomalies if one.kind == "regime change")
    assert change.numbers["before"] == pytest.approx(0.915, abs=0.001)
    assert change.numbers["after"] == pytest.approx(0.739, abs=0.001)
    rates = run.schedule
    assert (rates.shape, rates.warm_up, rates.warm_up_shape) == ("linear", 3, "linear")
    map50 = next(one for one in run.others if one.column == "metrics/mAP50(B)")
    assert (map50.epoch, map50.value) == (44, 0.5842)
    assert round(run.timing.mean) == 204


def test_an_infinite_loss_of_railway_objects_poisons_nothing(found):
    run = found("railfod23-yolo-improved.csv")
    assert anomalies(run, "not finite") == {"val/cls_loss": (1,)}
    loss = next(one for one in run.losses if one.column == "val/cls_loss")
    assert (loss.first_epoch, loss.first) == (2, 2.56964)
    ranges = next(one for one in run.convergence if one.column == "val/cls_loss").ranges
    assert max(one.mean for one in ranges) < 3.7  # its highest finite value is 3.66
    assert (run.best.column, run.best.epoch) == ("metrics/mAP50-95(B)", 98)
    assert (run.best.value, run.best.last) == (0.77281, 0.77095)
