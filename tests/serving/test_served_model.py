"""The answers of the server are those of `trackbed predict`."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import served
from PIL import Image
from program import trackbed

from trackbed.exporting import novelty_reference
from trackbed.inference import novelty
from trackbed.inference.exported_model import ExportedModel
from trackbed.pipeline.errors import Damaged
from trackbed.serving import served_model


def noise(path, size, **options):
    random = np.random.default_rng(len(path.name) + size[0])
    pixels = random.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Pictures of many formats and shapes, two of them unusable."""
    folder = tmp_path_factory.mktemp("pictures")
    noise(folder / "large.jpg", (301, 200), quality=80)
    noise(folder / "small.jpg", (9, 12), subsampling=0)
    noise(folder / "plain.png", (40, 30))
    noise(folder / "scan.tif", (50, 50), compression="tiff_lzw")
    noise(folder / "film.webp", (64, 48))
    Image.new("RGBA", (30, 30), (200, 10, 10, 100)).save(folder / "clear.png")
    Image.new("I;16", (30, 30), 40_000).save(folder / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(folder / "turned.jpg", (90, 40), exif=exif)
    (folder / "cut.jpg").write_bytes((folder / "large.jpg").read_bytes()[:3000])
    (folder / "text.png").write_text("hello")
    return folder


@pytest.mark.parametrize("calibrated", [False, True])
def test_answers_are_those_of_predict_to_the_last_digit(pictures, tmp_path, calibrated):
    folder = served.write_model(tmp_path / "exported", calibrated=calibrated)
    colours = np.random.default_rng(0).random((40, 3), np.float32)
    novelty_reference.add(folder, novelty.build(colours[:20], colours[20:]))
    rejects = tmp_path / "rejects.csv"
    arguments = ("--format", "jsonl", "--model", folder, "--rejects", rejects)
    done = trackbed("predict", pictures, *arguments)
    model = served_model.load(folder)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 8
    for line in lines:
        data = Path(line.pop("file")).read_bytes()
        assert json.loads(json.dumps(model.answer(data))) == line
    assert rejects.read_text().count("\n") == 3
    for name in ("cut.jpg", "text.png"):
        reason = model.answer((pictures / name).read_bytes())["rejected"]["reason"]
        assert f"{name},{reason}," in rejects.read_text()


def test_an_answer_has_the_share_of_held_out_images_that_are_nearer(tmp_path):
    folder = served.write_model(tmp_path / "exported")
    red = served.picture((200, 0, 0))
    assert served_model.load(folder).answer(red)["novelty"] is None
    colours = np.float32([[0, 1, 0], [1, 1, 0]])
    novelty_reference.add(folder, novelty.build(colours[:1], colours))
    model = served_model.load(folder)
    assert model.answer(red)["novelty"] == 0.666666667  # 2 of 3, itself the third
    assert model.answer(served.picture((0, 200, 0)))["novelty"] == 0


def test_pictures_have_the_same_answers_alone_and_among_others(tmp_path):
    model = served_model.load(served.write_model(tmp_path / "exported"))
    colours = np.random.default_rng(0).integers(0, 256, (7, 3)).tolist()
    pictures = [served.picture(tuple(colour)) for colour in colours]
    pictures.insert(2, b"rubbish")
    assert model.takes_batches
    alone = [model.answer(one, with_map=True) for one in pictures]
    assert model.answers(pictures, with_maps=True) == alone
    assert [number for number, one in enumerate(alone) if "rejected" in one] == [2]
    assert replace(model, takes_batches=False).answers(pictures, with_maps=True) == alone


def test_a_model_that_no_batch_suits_sees_single_images(tmp_path, monkeypatch):
    model = served_model.load(served.write_model(tmp_path / "exported"))
    images = np.random.default_rng(0).integers(0, 256, (5, model.side, model.side, 3), np.uint8)
    (expected,) = model.image_outputs(images, ["embedding"])
    sizes, outputs = [], ExportedModel.outputs

    def counted(self, images, *names):
        sizes.append(len(images))
        return outputs(self, images, *names)

    monkeypatch.setattr(ExportedModel, "outputs", counted)
    (found,) = replace(model, takes_batches=False).image_outputs(images, ["embedding"])
    assert sizes == [1] * 5
    np.testing.assert_array_equal(found, expected)


def test_a_head_that_is_not_known_has_no_map(tmp_path):
    model = served_model.load(served.write_model(tmp_path / "exported", head=None))
    assert model.answer(served.picture(), with_map=True)["activation"] is None


@pytest.mark.parametrize("name", ["model.onnx", "head.npz", "reference.npz"])
def test_a_damaged_file_is_found_when_the_model_is_loaded(tmp_path, name):
    folder = served.write_model(tmp_path / "exported")
    novelty_reference.add(folder, novelty.build(np.eye(3, dtype=np.float32), np.eye(3)))
    (folder / name).write_bytes(b"damaged")
    with pytest.raises(Damaged, match=name):
        served_model.load(folder)


@pytest.mark.parametrize("name", ["head.npz", "reference.npz"])
def test_a_file_of_right_digest_and_wrong_content_is_damage(tmp_path, name):
    folder = served.write_model(tmp_path / "exported")
    novelty_reference.add(folder, novelty.build(np.eye(3, dtype=np.float32), np.eye(3)))
    (folder / name).write_bytes(b"no arrays")
    path = folder / "model.json"
    described = json.loads(path.read_text())
    described["files"][name] = {"sha256": hashlib.sha256(b"no arrays").hexdigest(), "bytes": 9}
    path.write_text(json.dumps(described))
    with pytest.raises(Damaged, match="exported"):
        served_model.load(folder)


def test_a_model_of_numbers_that_are_not_finite_is_refused(tmp_path):
    folder = served.write_model(tmp_path / "exported", scale=float("nan"))
    with pytest.raises(Damaged, match="not finite"):
        served_model.load(folder)


def test_another_description_is_another_version(tmp_path):
    one = served_model.load(served.write_model(tmp_path / "one"))
    two = served_model.load(served.write_model(tmp_path / "two", refusal_threshold=0.5))
    assert one.version != two.version
    assert served_model.load(tmp_path / "one").version == one.version
