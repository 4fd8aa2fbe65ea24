import pandas as pd

from trackbed.judging import mistakes


def test_false_inferences_by_hand():
    predictions = pd.DataFrame(
        [
            ("1.png", "A", "A", 0.9),
            ("2.png", "A", "B", 0.6),
            ("3.png", "B", "C", 0.8),
            ("4.png", "C", "C", 0.7),
        ],
        columns=["filename", "true", "predicted", "confidence"],
    ).assign(record=range(4))
    assert mistakes.false_inferences(predictions, ["A", "B", "C"]) == {
        "false_positive": {"A": [], "B": ["2.png"], "C": ["3.png"]},
        "false_negative": {"A": ["2.png"], "B": ["3.png"], "C": []},
        "misclassified": [
            {"file": "3.png", "true": "B", "predicted": "C", "confidence": 0.8},
            {"file": "2.png", "true": "A", "predicted": "B", "confidence": 0.6},
        ],
    }
