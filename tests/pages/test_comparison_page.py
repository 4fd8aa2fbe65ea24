import re

import numpy as np
import pandas as pd

from trackbed.evaluation import comparison
from trackbed.pages import comparison_page


def answers(right):
    """Predictions for 300 images of two classes, right or wrong as given."""
    labels = np.arange(300) % 2
    names = np.array(["A", "B"])
    table = pd.DataFrame({"record": range(300), "true": names[labels]})
    table["filename"] = table["group"] = [f"{number}.png" for number in range(300)]
    table["predicted"] = names[np.where(right, labels, 1 - labels)]
    return table.assign(confidence=0.9, p_A=0.1, p_B=0.9)


def changed(first, second):
    return comparison.compared(answers(first), answers(second))


NUMBERS = np.arange(300)


def test_the_better_run_is_named_with_the_size_of_the_difference():
    change = changed(NUMBERS % 2 == 0, NUMBERS % 10 > 0)
    text = comparison_page.verdict(change, "main", "branch")
    assert text.startswith(
        "branch is better than main: its macro F1 is higher by 0.566 (95 % interval +0."
    )
    # F1 before: 2/3 and 0; after: 240/270 and 300/330. All 150 wrong ones are fixed; the 30
    # whose number ends in 0 were right before.
    assert text.endswith("150 images fixed and 30 newly wrong.")


def test_a_change_within_noise_is_not_distinguishable():
    change = changed(NUMBERS > 1, NUMBERS > 2)
    text = comparison_page.verdict(change, "main", "branch")
    # One more mistake of 300: the F1s fall by about 1 / 300.
    assert text.startswith(
        "main and branch are not distinguishable: main has the higher macro F1, by 0.003 (95 % "
    )
    assert text.endswith(", which holds 0). 0 images fixed and 1 newly wrong.")
    reversed_text = comparison_page.verdict(changed(NUMBERS > 2, NUMBERS > 1), "main", "branch")
    assert "branch has the higher macro F1, by 0.003" in reversed_text
    between = re.compile(r"interval \S+ to \S+,")
    assert between.findall(text) == between.findall(reversed_text)


def test_images_of_one_group_say_that_nothing_is_known():
    tables = [answers(number < NUMBERS).assign(group="drive") for number in (1, 20)]
    text = comparison_page.verdict(comparison.compared(*tables), "main", "branch")
    assert text.startswith("main and branch are not distinguishable: main has the higher macro F1")
    assert "(95 % interval unknown, as all images are of one group)" in text
    assert "nan to" not in text


def test_equal_scores_have_no_better_run():
    change = changed(NUMBERS % 4 > 0, NUMBERS % 4 > 0)
    text = comparison_page.verdict(change, "main", "branch")
    assert text.startswith("main and branch are not distinguishable: macro F1 is equal (")


def test_the_terminal_lists_the_largest_change_of_a_class_first():
    wrong_in_b = np.where(NUMBERS % 2 == 1, NUMBERS % 3 > 0, True)
    lines = comparison_page.text(changed(NUMBERS >= 0, wrong_in_b), "main", "branch").splitlines()
    assert "McNemar p = " in lines[1]
    assert lines[4].split()[0] == "B"


def test_long_values_are_shortened_in_the_ranking():
    values = ["[]", ", ".join(["[{mode: horizontal, name: flip}"] * 5)]
    runs = pd.DataFrame({"name": ["none", "five"], "train.augment": values, "fold": 0, "seed": 0})
    scores = {"rank": [1, 2], "mean": [0.9, 0.8], "low": np.nan, "high": np.nan, "splits": 1}
    table = pd.DataFrame(scores | {"train.augment": values, "test_macro_f1": [0.8, 0.7]})
    text = comparison_page.ranking_text(table, runs, ["train.augment"], [], "val_macro_f1", 10)
    assert max(map(len, text.splitlines())) < 110
    assert re.search(r"\[{mode: horizontal.*name: flip} .*five$", text)
