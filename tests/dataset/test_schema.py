import pytest

from trackbed.dataset import schema


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("train", ("train", True)),
        ("training_set", ("train", True)),
        ("TestImages", ("test", True)),
        ("train2017", ("train", True)),
        ("seg_test", ("test", False)),
        ("DEV", ("validation", True)),
        ("train_val", ("", False)),
        ("constrain", ("", False)),
        ("草", ("", False)),
    ],
)
def test_the_part_that_a_name_means(name, meaning):
    assert schema.part_of(name) == meaning


def test_names_of_documents():
    assert all(map(schema.is_document, ["a/README", "data.yaml", "LICENSE.md", "x/b.JSON"]))
    assert not any(map(schema.is_document, ["1.png", "readme/1.png", "readme.png", "1", "x.zip"]))
