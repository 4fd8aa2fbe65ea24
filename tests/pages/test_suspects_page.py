from dataclasses import replace

import pandas as pd

from trackbed.pages import suspects_page

ROWS = pd.DataFrame(
    {
        "rank": [1, 2],
        "filename": ["A/1.png", "B/2.png"],
        "given": ["A", "B"],
        "suggested": ["B", "B"],
        "self_confidence": [0.1, 0.6],
        "confidence": [0.9, 0.6],
    }
)
FOUND = suspects_page.Found(
    rows=ROWS, method="self_confidence", ranked=40, scored=40, training=40, folds=[0, 1],
    of_folds=2, runs=["one", "two"],
)  # fmt: skip


def test_the_basis_names_images_folds_and_runs():
    assert suspects_page.basis(FOUND) == (
        "40 training images, each scored by a model that was not trained on it (2 folds, 2 runs)."
    )


def test_missing_folds_are_counted():
    part = replace(FOUND, scored=20, folds=[1], of_folds=2)
    assert "20 have no score: of 2 folds only 1 were used" in suspects_page.basis(part)


def test_only_labels_below_another_class_are_doubted():
    assert suspects_page.verdict(FOUND).endswith("For 1 of them another class is more probable.")


def test_the_pairs_of_given_and_suggested_class_are_counted():
    assert "     1  A -> B" in suspects_page.text(FOUND)
