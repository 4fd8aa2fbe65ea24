import hashlib

import deliveries
import numpy as np
import pytest
from PIL import Image

from trackbed.drift import delivery
from trackbed.drift.picture_groups import GroupRule
from trackbed.inference.exported_model import ExportedModel
from trackbed.pictures.rejections import Rejected

RULE = GroupRule(deliveries.PATTERN)


@pytest.fixture
def model(coloured_project):
    return ExportedModel.load(coloured_project / "exported")


def test_new_pictures_are_read_with_what_is_left_out(model, tmp_path):
    new = deliveries.deliver(tmp_path / "new", groups=3)
    (new / "d001_0.png").write_bytes(b"GIF")
    (new / "notes.txt").write_text("x")
    found = delivery.read(new, model, RULE, 2, by_option=False)
    seen = found.observations
    assert seen.names == ["d000_0.png", "d000_1.png", "d001_1.png", "d002_0.png", "d002_1.png"]
    assert seen.groups == ["d000", "d000", "d001", "d002", "d002"]
    assert [len(v) for v in (seen.probabilities, seen.embeddings, seen.properties)] == [5, 5, 5]
    assert [one.name for one in found.rejected] == [str(new / "d001_0.png")]
    assert (found.ignored, found.grouped) == (1, True)
    assert found.digests[0] == hashlib.sha256((new / "d000_0.png").read_bytes()).hexdigest()
    assert seen.answers.tolist() == [0, 0, 1, 2, 2]  # red, green, blue


def test_a_column_of_groups_counts_unless_a_rule_is_asked_for(model, tmp_path):
    new = deliveries.deliver(tmp_path / "new", groups=2)
    (new / "manifest.csv").write_text("filename,group\nd000_0.png,x\nd001_0.png,x\nd001_1.png,\n")
    groups = delivery.read(new, model, RULE, 1, by_option=False).observations.groups
    assert groups[:2] == ["x", "x"]
    assert groups[2] not in ("x", "d001")
    asked = delivery.read(new, model, RULE, 1, by_option=True)
    assert asked.observations.groups == ["d000", "d001", "d001"]


def test_a_picture_to_look_at_is_cropped_to_its_box(model, tmp_path):
    pixels = np.zeros((20, 24, 3), np.uint8)
    pixels[5:15, 4:20] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    manifest = "filename,left,top,right,bottom\na.png,4,5,20,15\n"
    (tmp_path / "manifest.csv").write_text(manifest)
    found = delivery.read(tmp_path, model, GroupRule(None), 1, by_option=False)
    opener = delivery.opener(model)
    image = delivery.picture(found.inputs[0], opener)
    assert image.size == (16, 10)
    assert np.asarray(image).min() == 200
    (tmp_path / "a.png").unlink()
    with pytest.raises(Rejected):
        delivery.picture(found.inputs[0], opener)
