import numpy as np
import pandas as pd

from trackbed.learning import inference


def test_answers_by_hand():
    rows = pd.DataFrame(
        {"record": [4, 9], "filename": ["a.png", "b.png"], "group": ["g", "h"], "label": [1, 0]},
        index=[17, 3],
    )
    probabilities = np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float32)
    assert inference.answers(rows, ["NO", "012"], probabilities).to_dict("list") == {
        "record": [4, 9],
        "filename": ["a.png", "b.png"],
        "group": ["g", "h"],
        "true": ["012", "NO"],
        "predicted": ["012", "NO"],  # of two equal probabilities the first
        "confidence": [0.75, 0.5],
        "p_NO": [0.25, 0.5],
        "p_012": [0.75, 0.5],
    }
