import pandas as pd
import pytest

from trackbed.telling import class_rules, findings


def confused(counts, names="ABC", anchors=("pair-1", "pair-2", "pair-3")):
    """The advice for a confusion matrix."""
    matrix = pd.DataFrame(counts, index=list(names), columns=list(names))
    calls, support = matrix.sum(axis=0), matrix.sum(axis=1)
    right = pd.Series({name: matrix.at[name, name] for name in names})
    classes = pd.DataFrame({"recall": right / support, "precision": right / calls})
    pairs = findings.confusions(matrix, 10)
    return class_rules.confused(pairs, classes, calls, list(anchors))


def test_a_class_that_takes_the_images_of_another_is_told_with_its_numbers():
    # 26 of the 77 calls of A are B, all 51 images of A are found: precision 51 / 77 = 0.66.
    (one,) = confused([[51, 0, 0], [26, 224, 0], [0, 0, 40]])
    assert one.text == "“A”: recall 1.00, precision 0.66; 26 of its 77 calls are “B”."
    assert (one.target, one.invitation) == ("pair-1", "Look at these pictures.")


def test_a_class_that_loses_its_images_is_told_from_its_side():
    # 5 of the 20 images of A are called B, but only 5 of the 105 calls of B are A.
    (one,) = confused([[15, 5, 0], [0, 100, 0], [0, 0, 40]])
    assert one.text == "“A”: recall 0.75, precision 1.00; 5 of its 20 images are called “B”."


@pytest.mark.parametrize("lost", [2, 9])
def test_few_or_rare_confusions_call_for_nothing(lost):
    # 2 are fewer than 3 images; 9 of 100 are less than a tenth of either class.
    support = 10 if lost == 2 else 100
    assert confused([[support - lost, lost, 0], [0, 100, 0], [0, 0, 9]]) == []


def test_a_pair_in_both_directions_is_told_once():
    (one,) = confused([[10, 6, 0], [5, 10, 0], [0, 0, 40]])
    assert "The other way round it happens 5 times" in one.text


def test_at_most_three_pairs_are_told_and_the_last_points_to_the_table():
    counts = [[9, 5, 0, 0], [0, 9, 4, 0], [0, 0, 9, 4], [3, 0, 0, 9]]
    found = confused(counts, "ABCD", ["pair-1", "pair-2"])
    assert [one.target for one in found] == ["pair-1", "pair-2", "confusions"]


def scarce(train, f1, **params):
    names = list("ABC")
    counts = pd.DataFrame({"train": train}, index=names)
    classes = pd.DataFrame({"f1": f1}, index=names)
    return class_rules.scarce(counts, classes, 0.8, params)


def test_a_small_and_weak_class_needs_images():
    (one,) = scarce([40, 100, 320], [0.61, 0.9, 0.9])
    assert one.text == (
        "“A”: 40 training images, the median class has 100, and F1 0.610 against a macro F1 of "
        "0.800: collect more of it, or try train.class_weights."
    )
    (on,) = scarce([40, 100, 320], [0.61, 0.9, 0.9], class_weights="true")
    assert on.text.endswith("collect more of it; class_weights is on.")


@pytest.mark.parametrize(("train", "f1"), [([50, 100, 320], 0.61), ([40, 100, 320], 0.76)])
def test_half_of_the_median_or_an_ordinary_f1_is_enough(train, f1):
    assert scarce(train, [f1, 0.9, 0.9]) == []


def test_classes_without_or_with_few_test_images_are_named():
    support = pd.DataFrame({"support": [0, 4, 9, 10]}, index=list("ABCD"))
    none, few = class_rules.untested(support)
    assert none.text == "Add test images of “A”: there are none."
    assert "“B” (4), “C” (9): with 4, one image more or less moves a recall by 0.25" in few.text
    assert class_rules.untested(support.loc[["D"]]) == []


def test_sure_mistakes_are_counted_and_the_surest_named():
    mistakes = pd.DataFrame(
        {"filename": ["a", "b", "c", "d", "e"], "confidence": [0.99, 0.98, 0.97, 0.95, 0.94]}
    )
    (one,) = class_rules.sure_mistakes(mistakes)
    assert one.text == (
        "Check the labels of 4 mistakes of 5 with a confidence of at least 0.95: a, b, c and 1 "
        "more."
    )
    assert class_rules.sure_mistakes(mistakes[4:]) == []
