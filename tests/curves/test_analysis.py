"""Times of epochs and scores of classes by hand."""

import histories
import numpy as np
import pytest

from trackbed.curves.analysis import read_class_scores, timing
from trackbed.pipeline.errors import UserError


def found(seconds, **values):
    return timing(histories.made(seconds=seconds, loss=np.ones(len(seconds)), **values))


def test_a_pause_does_not_spoil_the_time_per_epoch():
    one = found([10, 10, 10, 3600, 10, 10])
    assert (one.median, one.total, one.spent) == (10, 3650, 60)
    assert one.pauses == {4: 3600}


def test_the_first_epoch_is_a_start_and_no_pause():
    one = found([60, 10, 10, 10, 10, 16])
    assert one.start == 60
    assert one.pauses == {}
    assert one.slow == {6: 16}


def test_steady_times_are_silent():
    one = found([10, 11, 10, 9, 10, 11])
    assert (one.start, one.pauses, one.slow) == (None, {}, {})


def test_waiting_is_weighted_by_time():
    one = found([1, 3], waiting_share=[0.4, 0.0], images_per_second=[100, 300])
    assert one.waiting == pytest.approx(0.1)
    assert one.images_per_second == 200


def test_missing_times():
    assert timing(histories.made(loss=[1])) is None
    assert found([np.nan, 5, 5]).epochs == 2


def test_scores_by_class_by_hand(tmp_path):
    path = tmp_path / "classes.csv"
    path.write_text(
        "class_name,f1,recall,support\nA,1.0,1.0,10\nB,0.5,0.4,30\nNA,,,0\nC,0.8,1.0,0\n"
        "macro avg,0.7,0.7,40\n"
    )
    scores = read_class_scores(path)
    assert (scores.classes, scores.best, scores.worst) == (
        3,
        ("A",),
        {"B": 0.5, "C": 0.8, "A": 1.0},
    )
    assert scores.support == 40
    assert scores.weighted["recall"] == pytest.approx((10 * 1.0 + 30 * 0.4) / 40)


def test_the_accuracy_of_our_own_tables_is_one_against_the_rest(tmp_path):
    path = tmp_path / "classes.csv"
    path.write_text("class_name,f1,accuracy,support,true_negative\nA,1,0.9,10,5\nB,1,0.7,30,2\n")
    scores = read_class_scores(path)
    assert scores.weighted["one-vs-rest accuracy"] == pytest.approx(0.75)
    assert "accuracy" not in scores.weighted


@pytest.mark.parametrize(
    ("text", "words"), [("a,b\n1,2\n", "no scores by class"), ("class,f1\nA,\n", "no class has")]
)
def test_other_tables_are_refused(tmp_path, text, words):
    (tmp_path / "classes.csv").write_text(text)
    with pytest.raises(UserError, match=words):
        read_class_scores(tmp_path / "classes.csv")
