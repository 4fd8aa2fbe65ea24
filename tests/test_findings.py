from indexes import indexed

from trackbed import index
from trackbed.ingest import findings, kinds

NOISE = "5a3c96e10f7bd248"
TABLE = indexed(
    {"class_name": "A"},
    {"class_name": "A", "pixel_hash": "x"},
    {"class_name": "A", "pixel_hash": "x"},
    {"class_name": "B", "pixel_hash": "y"},
    {"class_name": "A", "pixel_hash": "y", "brightness": 3.0, "contrast": 1.0},
    {"class_name": "B", "perceptual_hash": NOISE},
    {"class_name": "B", "perceptual_hash": NOISE, "part": "test", "width": 300},
    {"class_name": "B", "pixel_hash": "z", "part": "test"},
    {"class_name": "B", "pixel_hash": "z", "height": 75},
)


def test_all_findings_by_hand_the_worst_kinds_first():
    found = findings.findings(TABLE)
    assert found[["filename", "finding", "other", "other_record"]].to_numpy().tolist() == [
        ["3.jpg", kinds.CONTRADICTION, "4.jpg", 4],
        ["4.jpg", kinds.CONTRADICTION, "3.jpg", 3],
        ["8.jpg", kinds.IN_TEST, "7.jpg", 7],
        ["5.jpg", kinds.NEAR_TEST, "6.jpg", 6],
        ["2.jpg", kinds.DUPLICATE, "1.jpg", 1],
        ["4.jpg", kinds.BLACK, "", -1],
    ]
    assert found["class_name"].tolist() == ["B", "A", "B", "B", "A", "A"]


def test_the_table_comes_back_from_its_file(tmp_path):
    found = findings.findings(TABLE.assign(class_name="NA"))
    index.write_findings(tmp_path, found)
    assert index.read_findings(tmp_path).equals(found)
    nothing = findings.findings(TABLE.head(1))
    index.write_findings(tmp_path, nothing)
    assert index.read_findings(tmp_path).empty


def test_what_is_counted():
    found = findings.findings(TABLE)
    counted = findings.counts(TABLE, found)
    assert counted["near_duplicates"] == counted["near_in_train_and_test"] == 1
    assert (counted["near_in_two_classes"], counted["black"], counted["blurred"]) == (0, 1, 0)
    # 5 of B, 4 of A; heights: one of 75, the others 150.
    assert (counted["largest_class"], counted["smallest_class"]) == (5, 4)
    assert counted["imbalance"] == 1.25
    assert [counted[f"{which}_height"] for which in ("smallest", "median", "largest")] == [
        75,
        150,
        150,
    ]
    assert counted["largest_width"] == 300
    assert findings.told(counted) == "1 near duplicates, 1 black"


def test_every_kind_has_its_place():
    named = {
        value for name, value in vars(kinds).items() if isinstance(value, str) and name.isupper()
    }
    assert set(kinds.KINDS) == named
    assert len(kinds.KINDS) == len(named)
