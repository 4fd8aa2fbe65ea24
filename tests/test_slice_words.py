import pandas as pd

from trackbed.judging import slices
from trackbed.telling import slice_words


def table(*rows):
    return pd.DataFrame(rows, columns=list(slices.TYPES))


DARK = ("brightness", "below 61", 40, 8, 0.71, 0.62, 0.8, 0.7, True)
CLASS = ("class", "GRAS", 40, 8, 0.6, 0.3, 0.85, None, True)
CHANCE = ("sharpness", "above 9", 40, 8, 0.5, 0.2, 0.79, 0.4, False)
SMALL = ("group", "drive007", 9, 1, 0.1, 0.02, 0.4, None, True)


def test_the_slice_whose_interval_ends_lowest_is_named():
    assert slice_words.sentence(table(CLASS, DARK, CHANCE, SMALL), 0.884) == (
        "Worst slice: brightness below 61: accuracy 0.71 (0.62 to 0.80), 0.88 over all."
    )
    assert slice_words.sentence(table(CLASS), 0.884).startswith("Worst slice: class “GRAS”: acc")


def test_chance_is_not_named():
    said = slice_words.sentence(table(CHANCE, SMALL), 0.88)
    assert said == "No slice differs from the whole by more than chance."
