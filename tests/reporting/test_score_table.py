from trackbed.reporting import score_table
from trackbed.reporting.previous_runs import Previous

BEFORE = {"macro_f1": 0.80, "macro_f1_low": 0.75, "macro_f1_high": 0.85, "images": 100}
NOW = {"macro_f1": 0.90, "macro_f1_low": 0.86, "macro_f1_high": 0.94, "images": 100, "top_2": 0.9}


def test_a_missing_score_says_why():
    rows = score_table.rows({"macro_f1": 0.5, "confidence_wrong": None, "images": 9, "top_3": 1.0})
    found = {row.label: (row.value, row.reason) for row in rows}
    assert found["Macro F1"] == ("0.500", "")
    assert found["Confidence when wrong"] == ("n/a", "no mistakes")
    assert score_table.rows({"top_2": 0.75, "images": 9})[0].label == "Top-2 accuracy"
    assert score_table.rows({"loss": None, "images": 0})[0].reason == "no test images"


def test_the_table_of_scores_shows_the_changes():
    rows = score_table.rows(NOW, Previous("0" * 40, BEFORE | {"top_2": 0.95, "loss": 1}))
    assert {row.label: row.change for row in rows} == {
        "Macro F1": "+0.100",
        "Top-2 accuracy": "-0.050",
    }
    assert score_table.rows(NOW)[0].change == ""
