import numpy as np
import pandas as pd
import pytest

from trackbed.reporting import advice
from trackbed.reporting.dataset_summary import Reason


def confused(counts, names="ABC"):
    """The advice for a confusion matrix."""
    matrix = pd.DataFrame(counts, index=list(names), columns=list(names))
    calls, support = matrix.sum(axis=0), matrix.sum(axis=1)
    right = pd.Series({name: matrix.at[name, name] for name in names})
    classes = pd.DataFrame({"recall": right / support, "precision": right / calls})
    return advice.confused(matrix, classes)


def test_a_class_predicted_for_images_of_another():
    # 26 of the 77 predicted as A are B, all 51 images of A are found: precision 51 / 77 = 0.66.
    (one,) = confused([[51, 0, 0], [26, 224, 0], [0, 0, 40]])
    assert one.text == (
        "“A”: recall 1.00, precision 0.66; 26 of the 77 images predicted as “A” are “B”."
    )
    assert (one.target, one.link_text) == ("pair-1", "See the pictures.")


def test_a_class_that_loses_its_images():
    # 5 of the 20 images of A are predicted as B, but only 5 of the 105 predicted as B are A.
    (one,) = confused([[15, 5, 0], [0, 100, 0], [0, 0, 40]])
    assert one.text == "“A”: recall 0.75, precision 1.00; 5 of its 20 images are predicted as “B”."


@pytest.mark.parametrize("lost", [2, 9])
def test_few_or_rare_confusions_call_for_nothing(lost):
    # 2 are fewer than 3 images; 9 of 100 are less than a tenth of either class.
    support = 10 if lost == 2 else 100
    assert confused([[support - lost, lost, 0], [0, 100, 0], [0, 0, 9]]) == []


def test_a_pair_in_both_directions_is_named_once():
    (one,) = confused([[10, 6, 0], [5, 10, 0], [0, 0, 40]])
    assert "The reverse happens 5 times" in one.text


def test_at_most_three_pairs_are_named_each_with_its_pictures():
    counts = [[9, 5, 0, 0], [0, 9, 4, 0], [0, 0, 9, 4], [3, 0, 0, 9]]
    found = confused(counts, "ABCD")
    assert [one.target for one in found] == ["pair-1", "pair-2", "pair-3"]


def scarce(train, f1, **params):
    names = list("ABC")
    counts = pd.DataFrame({"train": train}, index=names)
    classes = pd.DataFrame({"f1": f1}, index=names)
    return advice.scarce(counts, classes, 0.8, params)


def test_a_small_and_weak_class_needs_images():
    (one,) = scarce([40, 100, 320], [0.61, 0.9, 0.9])
    assert one.text == (
        "“A” has 40 training images (median class: 100) and an F1 of 0.610 (macro F1: 0.800): "
        "collect more images of it, or try train.class_weights."
    )
    (on,) = scarce([40, 100, 320], [0.61, 0.9, 0.9], class_weights="true")
    assert on.text.endswith("collect more images of it (train.class_weights is on).")


@pytest.mark.parametrize(("train", "f1"), [([50, 100, 320], 0.61), ([40, 100, 320], 0.76)])
def test_half_of_the_median_or_an_ordinary_f1_is_enough(train, f1):
    assert scarce(train, [f1, 0.9, 0.9]) == []


def test_classes_without_or_with_few_test_images_are_named():
    support = pd.DataFrame({"support": [0, 4, 9, 10]}, index=list("ABCD"))
    none, few = advice.untested(support)
    assert none.text == "Add test images of “A”: there are none."
    assert "“B” (4), “C” (9): with 4, a single one changes the recall by 0.25" in few.text
    assert advice.untested(support.loc[["D"]]) == []


def test_sure_mistakes_are_counted_and_the_surest_named():
    mistakes = pd.DataFrame(
        {"filename": ["a", "b", "c", "d", "e"], "confidence": [0.99, 0.98, 0.97, 0.95, 0.94]}
    )
    (one,) = advice.sure_mistakes(mistakes, 50)
    assert one.text == (
        "Check the labels of 4 of 5 mistakes, those with a confidence of at least 0.95: a, b, c "
        "and 1 more."
    )
    assert advice.sure_mistakes(mistakes[4:], 50) == []


def texts(advice):
    return [one.text for one in advice]


def test_a_wide_interval_is_named_with_images_and_groups():
    scores = {"macro_f1_low": 0.814, "macro_f1_high": 0.958, "images": 130}
    (text,) = texts(advice.wide_interval(scores, 26))
    assert "0.144 wide, with 130 test images in 26 groups" in text
    assert advice.wide_interval({"macro_f1_low": 0.9, "macro_f1_high": 0.97}, 26) == []
    assert advice.wide_interval({"macro_f1": 0.9}, 26) == []


def test_a_validation_score_above_the_interval_of_the_test():
    training = {"best": {"val_macro_f1": 0.95}}
    scores = {"macro_f1": 0.80, "macro_f1_high": 0.90}
    (text,) = texts(advice.validation_gap(training, scores))
    assert "Validation macro F1 is 0.950, test macro F1 0.800" in text
    assert advice.validation_gap(training, scores | {"macro_f1_high": 0.96}) == []
    assert advice.validation_gap(training, {"macro_f1": 0.91, "macro_f1_high": 0.92}) == []
    assert advice.validation_gap({}, scores) == []


def test_too_high_or_too_low_probabilities_with_the_setting():
    train = {"label_smoothing": "0.1"}
    (high,) = texts(advice.miscalibrated({"accuracy": 0.8, "overconfidence": 0.1}, train))
    assert high == (
        "The mean confidence is 0.900, the accuracy 0.800: for better probabilities raise "
        "train.label_smoothing, now 0.1."
    )
    (low,) = texts(advice.miscalibrated({"accuracy": 0.9, "overconfidence": -0.08}, train))
    assert low == (
        "The mean confidence is 0.820, the accuracy 0.900: choose thresholds on data "
        "(train.label_smoothing, now 0.1, lowers probabilities)."
    )
    assert advice.miscalibrated({"accuracy": 0.9, "overconfidence": 0.05}, train) == []


def test_rejects_above_one_percent_with_the_first_reason():
    reasons = [Reason("truncated", 8, []), Reason("empty", 3, [])]
    (text,) = texts(advice.rejected({"seen": 1000, "rejected": 11}, reasons))
    assert text.startswith("11 of 1,000 files were rejected, 8 of them as “truncated”")
    assert advice.rejected({"seen": 1000, "rejected": 10}, reasons) == []


def test_a_run_without_mistakes_says_how_many_there_may_be():
    # 0 of 58 groups: 1 - 0.05 ** (1 / 58) = 0.0503.
    (text,) = texts(advice.faultless(0, 58))
    assert "In 58 groups of images that does not exclude mistakes in 5.0 % of such groups" in text
    assert advice.faultless(1, 58) == []


def test_a_model_that_errs_in_half_of_the_images_doubts_no_label():
    mistakes = pd.DataFrame({"filename": ["a", "b"], "confidence": [0.99, 0.98]})
    assert advice.sure_mistakes(mistakes, 3) == []
    assert len(advice.sure_mistakes(mistakes, 4)) == 1


def test_one_test_image_decides_all():
    (one,) = advice.untested(pd.DataFrame({"support": [1, 40]}, index=["A", "B"]))
    assert one.text == "Add test images of “A” (1): a single one decides all."


def test_all_images_of_a_class_taken_for_another():
    (one,) = confused([[0, 9, 0], [0, 9, 0], [0, 0, 9]])
    assert "all its 9 images are predicted as “B”" in one.text


def test_a_class_without_test_images_has_no_recall_to_speak_of():
    counts = pd.DataFrame([[9, 4], [0, 0]], index=["A", "C"], columns=["A", "C"])
    classes = pd.DataFrame({"recall": [9 / 13, np.nan], "precision": [1, 0]}, index=["A", "C"])
    (one,) = advice.confused(counts, classes)
    assert one.text == "“C”: none in the test part; all 4 images predicted as “C” are “A”."
