import numpy as np

from trackbed.pages import drift_page


def test_the_most_different_pictures_are_of_several_groups():
    scores = np.array([9.0, 8, 7, 6, 5, 4])
    groups = ["a", "a", "a", "a", "b", "c"]
    assert drift_page.most_different(scores, groups, 5) == [0, 1, 2, 4, 5]
    assert drift_page.most_different(scores, groups, 2) == [0, 1]
