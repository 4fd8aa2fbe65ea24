import base64
import io

import fabricated
import pandas as pd
import pytest
from PIL import Image

from trackbed.pipeline import index
from trackbed.reporting import dataset_summary

NAMES = ["A", "B", "C"]


@pytest.fixture
def records(tmp_path):
    """Records of three classes; what is to be found in them is written by `found`."""
    fabricated.write_records(tmp_path / "data/records", NAMES, [2, 2, 2])
    return tmp_path / "data/records"


def found(records, rejects=(), *rows):
    table = index.read(records).set_index("record")
    listed = [
        {"record": record, "finding": finding, "detail": "detail", "other_record": other}
        | table.loc[record, ["filename", "class_name", "part"]].to_dict()
        | {"other": table["filename"].get(other, "")}
        for record, finding, other in rows
    ]
    index.FINDINGS_TABLE.write(records, index.FINDINGS_TABLE.rows(listed))
    index.REJECTS_TABLE.write(records, index.REJECTS_TABLE.rows(list(rejects)))
    return dataset_summary.pictured_findings(records)


def pixels(uri):
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")


def test_near_duplicates_are_paired_with_both_classes(records):
    (one,) = found(records, (), (25, index.NEAR_CONTRADICTION, 3))
    (example,) = one.examples
    assert [(side.class_name, side.part) for side in example.sides] == [
        ("C", "train"),
        ("A", "train"),
    ]
    assert [side.filename for side in example.sides] == ["C/0005.jpg", "A/0003.jpg"]
    for uri, label in zip(example.uris, (2, 0), strict=True):
        pixel, expected = pixels(uri).getpixel((0, 0)), fabricated.picture(label).getpixel((0, 0))
        assert pixel == pytest.approx(expected, abs=40)


def test_of_the_same_pixels_one_picture_is_shown(records):
    (one,) = found(records, (), (5, index.DUPLICATE, 3))
    assert len(one.examples[0].uris) == 1
    assert len(one.examples[0].sides) == 2


def test_what_was_rejected_is_shown_by_the_picture_that_stayed(records):
    rejects = [
        ("A/gone.jpg", index.IN_TEST, "A/0001.jpg"),
        ("A/one.jpg", index.CONTRADICTION, "B/two.jpg"),
        ("B/two.jpg", index.CONTRADICTION, "A/one.jpg"),
        ("cut.jpg", "truncated", ""),
    ]
    contradiction, leak, black = found(records, rejects, (0, index.BLACK, -1))
    assert (contradiction.title, contradiction.images) == ("also in another class (rejected)", 2)
    assert [example.uris for example in contradiction.examples] == [[], []]
    assert [side.filename for side in contradiction.examples[0].sides] == ["A/one.jpg", "B/two.jpg"]
    (example,) = leak.examples
    assert [side.part for side in example.sides] == ["", "test"]
    assert len(example.uris) == 1
    assert (black.title, black.classes) == ("black", [("A", 1)])


def test_many_are_counted_and_few_are_shown(records):
    (one,) = found(records, (), *((n, index.BLURRED, -1) for n in range(25)))
    assert (one.images, len(one.examples)) == (25, 6)
    classes = [example.sides[0].class_name for example in one.examples]
    assert classes == ["A", "B", "C", "A", "B", "C"]
    assert one.classes == [("A", 10), ("B", 10), ("C", 5)]
    assert dataset_summary.findings_sentence([one]).startswith("Images to check: 25 blurred")


def test_nothing_found(records):
    assert found(records) == []
    assert dataset_summary.findings_sentence([]) == ""


def test_sizes_and_formats():
    table = pd.DataFrame(
        {"width": [10, 20, 40], "height": [9, 9, 9], "format": ["PNG", "PPM", "PNG"]}
    )
    assert dataset_summary.size_ranges(table) == [("Width", 10, 20.0, 40), ("Height", 9, 9.0, 9)]
    assert dataset_summary.format_counts(table) == [("PNG", 2), ("PPM", 1)]


def test_every_kind_is_explained():
    of_images = set(index.FINDING_TYPES) - set(index.SET_FINDINGS)
    assert set(dataset_summary.MEANINGS) == of_images


def test_findings_about_the_set_come_first():
    rows = [{"finding": index.SOFT_SET, "detail": "half are soft"}, {"finding": index.BLACK}]
    of_the_set = dataset_summary.set_findings(pd.DataFrame(rows))
    assert of_the_set == ["Soft set: half are soft."]
    assert dataset_summary.findings_sentence([], of_the_set) == "Soft set: half are soft."


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        ([7, 7], "Every class has 7 images."),
        ([1, 1], "Every class has 1 image."),
        ([100, 98], "The classes have 98 to 100 images."),
        (
            [30, 20],
            "The largest class has 1.5 times as many images as the smallest (30 and 20).",
        ),
    ],
)
def test_imbalance_is_a_sentence(images, sentence):
    assert dataset_summary.imbalance_sentence(pd.Series(images)) == sentence
