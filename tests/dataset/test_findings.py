import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from indexes import indexed
from PIL import Image, ImageFilter
from scipy.stats import median_abs_deviation

from trackbed.dataset import findings
from trackbed.dataset.images import quality
from trackbed.pipeline import index

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
        ["3.jpg", index.CONTRADICTION, "4.jpg", 4],
        ["4.jpg", index.CONTRADICTION, "3.jpg", 3],
        ["8.jpg", index.IN_TEST, "7.jpg", 7],
        ["5.jpg", index.NEAR_TEST, "6.jpg", 6],
        ["2.jpg", index.DUPLICATE, "1.jpg", 1],
        ["4.jpg", index.BLACK, "", -1],
    ]
    assert found["class_name"].tolist() == ["B", "A", "B", "B", "A", "A"]


def test_the_table_comes_back_from_its_file(tmp_path):
    found = findings.findings(TABLE.assign(class_name="NA"))
    index.FINDINGS_TABLE.write(tmp_path, found)
    assert index.FINDINGS_TABLE.read(tmp_path).equals(found)
    nothing = findings.findings(TABLE.head(1))
    index.FINDINGS_TABLE.write(tmp_path, nothing)
    assert index.FINDINGS_TABLE.read(tmp_path).empty


def test_what_is_counted():
    found = findings.findings(TABLE)
    counted = findings.kind_counts(found) | findings.spread(TABLE)
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
    assert findings.summary(counted) == "1 near duplicates, 1 black"


def test_every_kind_has_its_place():
    source = Path(index.__file__).read_text("utf-8")
    named = set(re.findall(r'^[A-Z_]+: Final = "(.*)"', source, flags=re.MULTILINE))
    assert set(index.FINDING_TYPES) == named
    assert len(index.FINDING_TYPES) == len(named)


def found(table):
    return findings.outliers(table)[["record", "finding"]].to_numpy().tolist()


def measured(image):
    return quality(image.convert("L"))._asdict() | {"width": image.width, "height": image.height}


def texture(seed=0, side=120):
    """Smooth noise of the usual contrast, sharp at every scale."""
    random = np.random.default_rng(seed)
    layers = [
        Image.fromarray(random.integers(0, 256, (cells, cells), np.uint8)).resize((side, side))
        for cells in (5, 20, side)
    ]
    return Image.fromarray(np.mean(layers, axis=0).astype(np.uint8))


def test_the_modified_z_score_by_hand():
    values = pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 100])  # median 5.5, deviations' median 2.5
    scores = findings.modified_z(values, pd.Series(["A"] * 10))
    assert scores.iloc[-1] == pytest.approx(0.6745 * 94.5 / 2.5)
    assert scores.iloc[0] == pytest.approx(-0.6745 * 4.5 / 2.5)
    assert findings.modified_z(values[:9], pd.Series(["A"] * 9)).isna().all()


def test_the_modified_z_score_agrees_with_scipy():
    random = np.random.default_rng(1)
    values = pd.Series(random.normal(size=300))
    groups = pd.Series(random.choice(["A", "B"], 300))
    scores = findings.modified_z(values, groups)
    for name in "AB":
        own = values[groups == name]
        # scale='normal' divides by the inverse of the constant, 0.67449.
        expected = (own - np.median(own)) / median_abs_deviation(own, scale="normal")
        np.testing.assert_allclose(scores[groups == name], expected, rtol=1e-4)


def test_a_group_of_one_value_makes_every_other_one_infinite():
    scores = findings.modified_z(pd.Series([5.0] * 10 + [4.0]), pd.Series(["A"] * 11))
    assert scores.tolist() == [0.0] * 10 + [-np.inf]


def test_pictures_that_show_nothing():
    dots = Image.new("L", (100, 100), 8)
    dots.paste(12, (0, 0, 50, 100))
    pictures = [
        *(Image.new("L", (100, 100), grey) for grey in (0, 255, 130)),
        *(dots, texture(), texture().filter(ImageFilter.GaussianBlur(4))),
    ]
    assert sorted(found(indexed(*map(measured, pictures)))) == [
        [0, index.BLACK],
        [1, index.WHITE],
        [2, index.LOW_INFORMATION],
        [3, index.BLACK],
        [5, index.BLURRED],
    ]


def test_blur_is_measured_against_the_class_and_scale():
    usual = [{"sharpness": 2500.0 * 1.1 ** (n % 7)} for n in range(40)]
    soft = {"sharpness": 200.0}  # 0.08 of the variance of the grey values; usual is 1 to 1.8
    assert found(indexed(*usual, soft)) == [[40, index.BLURRED]]
    # Of a class that is as soft throughout, and beside none of its scale, it is nothing special.
    assert found(indexed(*usual, *[soft | {"class_name": "B"}] * 12)) == []
    large = [{"sharpness": 150.0 * 1.1 ** (n % 7), "width": 600, "height": 600} for n in range(40)]
    one = soft | {"width": 590, "height": 590}
    assert [40, index.BLURRED] not in found(indexed(*large, one, *usual))


def test_the_sharpest_of_a_soft_class_is_not_blurred():
    soft = [{"sharpness": 60.0 * 1.1 ** (n % 7)} for n in range(40)]
    table = indexed(*soft, {"sharpness": 240.0})  # 0.096 of the variance; usual is 0.032
    edges = np.log(table["sharpness"])
    assert findings.modified_z(edges, table["class_name"]).iloc[-1] > 3.5
    assert found(table) == []


def test_a_class_of_its_own_brightness_and_shape():
    table = [{"brightness": 100.0 + n % 9} for n in range(30)]
    table[3] = {"brightness": 170.0}
    table[7] = {"brightness": 120.0}  # as rare, but it hardly looks different
    table[9] = {"height": 70}  # 2.1 times as wide
    table[11] = {"width": 660, "height": 600}
    assert found(indexed(*table)) == [
        [3, index.UNUSUAL_BRIGHTNESS],
        [9, index.UNUSUAL_SHAPE],
        [11, index.UNUSUAL_SIZE],
    ]


def enlarged(image, times):
    return image.resize((image.width * times, image.height * times), Image.Resampling.BICUBIC)


def test_an_enlarged_set_is_a_finding_and_its_pictures_are_not():
    soft = [measured(enlarged(texture(n, 24), 8)) for n in range(40)]
    far = measured(enlarged(texture(0, 24), 8).filter(ImageFilter.GaussianBlur(12)))
    table = indexed(*soft, far)
    assert (table["sharpness"] < 0.01 * table["contrast"] ** 2).all()
    assert found(table) == [[40, index.BLURRED]]
    assert findings.of_the_set(table)["finding"].tolist() == [index.SOFT_SET]
    sharp = indexed(*(measured(texture(n)) for n in range(20)), *soft[:9])
    assert sorted(found(sharp)) == [[20 + n, index.BLURRED] for n in range(9)]
    assert findings.of_the_set(sharp).empty


@pytest.mark.parametrize(
    ("usual", "odd", "kind", "of_the_set"),
    [
        ({"brightness": 6.0, "contrast": 4.0}, (0.0, 0.0), index.BLACK, index.DARK_SET),
        ({"brightness": 249.0, "contrast": 3.0}, (255.0, 0.0), index.WHITE, index.BRIGHT_SET),
        ({"brightness": 99.0, "contrast": 1.5}, (99.0, 0.0), index.LOW_INFORMATION, index.PALE_SET),
    ],
)
def test_a_dark_bright_or_pale_set_does_not_flood(usual, odd, kind, of_the_set):
    step = 1 if kind == index.BLACK else -1
    rows = [
        usual | {"brightness": usual["brightness"] + step * n % 3, "sharpness": 9.0}
        for n in range(30)
    ]
    rows.append({"brightness": odd[0], "contrast": odd[1], "sharpness": 0.0})
    table = indexed(*rows)
    kinds = [name for _, name in found(table) if name in (index.BLACK, index.WHITE, kind)]
    assert kinds == [kind]
    assert of_the_set in findings.of_the_set(table)["finding"].tolist()
    few = indexed(*rows[:9])  # too few to say what is usual
    assert [name for _, name in found(few)].count(kind) == 9
    assert findings.of_the_set(few).empty


def test_many_black_frames_among_usual_ones_are_all_listed():
    rows = [{}] * 30 + [{"brightness": 2.0, "contrast": 1.0}] * 20
    assert [name for _, name in found(indexed(*rows))] == [index.BLACK] * 20


def test_what_files_hold_beside_their_picture_is_listed():
    table = indexed({}, {"class_name": "B"})
    columns = ["filename", "finding", "detail"]
    noted = pd.DataFrame(
        [("1.jpg", index.SEVERAL_PAGES, "3"), ("", index.WHITE_LEVEL, "12"), ("x", "y", "z")],
        columns=columns,
    )
    listed = findings.findings(table, noted)
    assert listed[["record", "filename", "class_name", "finding"]].to_numpy().tolist() == [
        [-1, "", "", index.WHITE_LEVEL],
        [1, "1.jpg", "B", index.SEVERAL_PAGES],
    ]
    assert findings.set_sentences(listed) == ["value of white: 12"]
    assert findings.kind_counts(listed)["several_pages"] == 1


def test_no_record():
    assert findings.outliers(indexed({}).head(0)).empty


def test_black_and_white_photographs_are_unusable_frames(photographs):
    rows = []
    for name in ("BALLAST", "ERROR", "STONE"):
        for path in sorted((photographs / "trackbed" / "test" / name).glob("*.jpg")):
            with Image.open(path) as image:
                rows.append(measured(image) | {"class_name": name})
    table = indexed(*rows)
    listed = findings.outliers(table)
    plain = listed[listed["finding"].isin([index.BLACK, index.WHITE])]
    assert len(plain) > 20
    assert set(table["class_name"][plain["record"]]) == {"ERROR"}
