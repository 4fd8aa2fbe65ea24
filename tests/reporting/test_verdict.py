import json

import fabricated
import pandas as pd
import pytest

from trackbed.evaluation import slices
from trackbed.reporting import verdict
from trackbed.reporting.dataset_summary import Dataset
from trackbed.reporting.previous_runs import Previous

COUNTS = {"groups": 5, "joined_groups": 1, "joined_images": 3, "largest_group": 3}
COUNTS |= {"near_in_train_and_test": 0, "groups_known": 1}


def data(named=("a", "a", "b", "c", "d", "e"), **counts):
    index = pd.DataFrame({"named_group": named})
    return Dataset(index, {}, [], pd.DataFrame(), [], COUNTS | counts)


def params(group="null", near="4", consecutive="null"):
    return {
        "data": {"group": group},
        "split": {"join_distance": near, "consecutive_distance": consecutive},
    }


def grouped(data, params):
    return " ".join(verdict.group_sentences(data, params))


@pytest.mark.parametrize(
    ("given", "named", "expected"),
    [
        (params(r"^(drive\d+)_"), "aabcde", r"never split: by data.group (^(drive\d+)_)."),
        (params(), "aabcde", "never split: by the source."),
        (params(), "abcdef", "never split: every image is a group of its own."),
        (params(consecutive="16"), "abcdef", "hashes differ in at most 16 bits."),
    ],
)
def test_the_source_of_the_groups_is_named(given, named, expected):
    text = grouped(data(list(named)), given)
    assert text.startswith("6 images in 5 groups, which are never split: ")
    assert expected in text


def test_joined_groups_and_near_duplicates_in_the_test_part():
    assert "joined into 1 group of 3 images" in grouped(data(), params())
    assert "largest group has 3 images" in grouped(data(), params())
    assert "No groups were joined" in grouped(data(joined_images=0), params())
    assert "duplicates" not in grouped(data(joined_images=0), params(near="null"))
    assert "test part 1 image is a near-duplicate" in grouped(
        data(near_in_train_and_test=1), params()
    )
    assert "near-duplicate of" not in grouped(data(near_in_train_and_test=None), params())
    assert "In the given validation part 2 images are near-duplicates of training" in grouped(
        data(near_in_train_and_validation=2), params()
    )


def test_the_leak_risk_is_unknown_without_known_groups():
    assert verdict.group_warning(data()) == ""
    assert verdict.group_warning(data(groups_known=0)).startswith(
        "Leak risk unknown: it is not known"
    )


def test_a_leak_is_found_unknown_or_not_there():
    found = verdict.leak(data(near_in_train_and_test=3), params())
    assert found == verdict.Leak(True, "3 images in training and test part")
    assert verdict.leak(data(groups_known=0), params()).text.endswith("is not known")
    assert verdict.leak(data(), params()) == verdict.Leak(False, "")


def test_large_groups_and_uneven_folds_are_warned_of():
    warning = verdict.group_warning(data(large_groups=1, missed_shares=2))
    assert "1 group holds an unusual share of a class" in warning
    assert "2 shares of a class or of all images are off" in warning
    assert "Folds" not in verdict.group_warning(data(large_groups=2))


def table(*rows):
    return pd.DataFrame(rows, columns=list(slices.COLUMNS))


DARK = ("brightness", "below 61", 40, 8, 0.71, 0.62, 0.8, 0.7, True)
CLASS = ("class", "GRAS", 40, 8, 0.6, 0.3, 0.85, None, True)
CHANCE = ("sharpness", "above 9", 40, 8, 0.5, 0.2, 0.79, 0.4, False)
SMALL = ("group", "drive007", 9, 1, 0.1, 0.02, 0.4, None, True)


def test_the_slice_whose_interval_ends_lowest_is_named():
    assert verdict.slice_sentence(table(CLASS, DARK, CHANCE, SMALL), 0.884) == (
        "Worst slice: brightness below 61: accuracy 0.71 (0.62 to 0.80), 0.88 overall."
    )
    assert verdict.slice_sentence(table(CLASS), 0.884).startswith("Worst slice: class “GRAS”: acc")


def test_chance_is_not_named():
    text = verdict.slice_sentence(table(CHANCE, SMALL), 0.88)
    assert text == "No slice is significantly worse than the whole test part."


BEFORE = {"macro_f1": 0.80, "macro_f1_low": 0.75, "macro_f1_high": 0.85, "images": 100}
NOW = {"macro_f1": 0.90, "macro_f1_low": 0.86, "macro_f1_high": 0.94, "images": 100, "top_2": 0.9}


def test_the_verdict_names_scores_classes_confusion_and_epoch(tmp_path):
    fabricated.run(tmp_path, ["A", "B", "C"], epochs=27)
    # F1 by hand, 2 TP / (support + predicted): A 80/88, B 70/87, C 100/109.
    matrix = pd.DataFrame([[40, 8, 0], [0, 35, 9], [0, 0, 50]]).to_numpy()
    for name, table in (
        ("confusion_matrix", fabricated.confusion_table(matrix, ["A", "B", "C"])),
        ("evaluation_summary", fabricated.summary_table(matrix, ["A", "B", "C"])),
    ):
        table.to_csv(tmp_path / f"plots/{name}.csv", index=False)
    scores = {"macro_f1": 0.8762, "macro_f1_low": 0.81, "macro_f1_high": 0.93, "accuracy": 0.88}
    (tmp_path / "metrics/evaluate.json").write_text(json.dumps(scores))
    found = verdict.verdict(fabricated.read(tmp_path))
    assert found.sentences == [
        "The macro F1 is 0.876 (95 % interval 0.810 to 0.930); 125 of 142 test images are "
        "classified correctly (accuracy 88.0 %).",
        "Nothing to compare with: no committed run with other scores was evaluated on this test "
        "part.",
        "Best class: “C” (F1 0.917); weakest class: “B” (F1 0.805, 95 % interval 0.775 to 0.835).",
        "Most frequent confusion: “B” predicted as “C”, 9 of 44 images.",
        "Best epoch by validation loss: 25 of 27; training stopped early.",
    ]
    assert (found.warning, found.leak_risk) == ("", "")


def test_without_a_previous_run_no_change_is_named():
    assert verdict.change_sentence(None, NOW).startswith("Nothing to compare with")


@pytest.mark.parametrize(
    ("low", "expected"),
    [
        (0.86, "significant, the intervals do not overlap"),
        (0.85, "the intervals overlap; `trackbed compare 0123456789` tests the difference"),
        (0.84, "the intervals overlap; `trackbed compare 0123456789` tests the difference"),
    ],
)
def test_a_change_is_compared_with_the_intervals(low, expected):
    text = verdict.change_sentence(Previous("0123456789ab", BEFORE), NOW | {"macro_f1_low": low})
    assert text == (
        f"Change +0.100 from the last committed run (0.800, commit 0123456789): {expected}."
    )
