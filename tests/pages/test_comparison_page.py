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
    assert text.startswith("branch is better than main: macro F1 differs by 0.566 ")
    # F1 before: 2/3 and 0; after: 240/270 and 300/330. All 150 wrong ones are fixed; the 30
    # whose number ends in 0 were right before.
    assert text.endswith("150 images are fixed and 30 newly wrong.")


def test_a_change_within_noise_is_not_distinguishable():
    change = changed(NUMBERS > 1, NUMBERS > 2)
    text = comparison_page.verdict(change, "main", "branch")
    assert text.startswith("main and branch are not distinguishable")
    assert "holds 0. 0 images are fixed and 1 newly wrong." in text


def test_the_terminal_lists_the_largest_change_of_a_class_first():
    wrong_in_b = np.where(NUMBERS % 2 == 1, NUMBERS % 3 > 0, True)
    lines = comparison_page.text(changed(NUMBERS >= 0, wrong_in_b), "main", "branch").splitlines()
    assert "McNemar p = " in lines[1]
    assert lines[4].split()[0] == "B"
