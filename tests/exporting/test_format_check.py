"""Formats of a small network, written, loaded in their runtimes and compared."""

import hashlib
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from exported import VALUES

from trackbed.exporting import converters, exported_folder, format_check
from trackbed.exporting.parity import Reference
from trackbed.inference import other_runtimes
from trackbed.networks import registry
from trackbed.networks.spec import Spec
from trackbed.pipeline.errors import UserError

FORMATS = tuple(other_runtimes.PLACES)
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
LABELS = np.arange(40) % 2


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return registry.build("small_cnn", Spec(16, 2))


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    exported_folder.write(folder, network, ["a", "b"], FORMATS, IMAGES, **VALUES)
    return folder


@pytest.fixture
def reference(network):
    probabilities = network.predict(IMAGES, verbose=0)
    return Reference(probabilities, LABELS, np.arange(40), 0.5, None)


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): hashlib.sha256(path.read_bytes()).digest() for path in files}


def test_every_format_answers_like_keras(folder, reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    left = format_check.WORK / "images.npy"  # of a run that was killed
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    formats = [name for name in FORMATS if name != "litert_int8"]
    found, milliseconds = format_check.check(folder, formats, IMAGES, reference)
    assert list(found) == ["onnx", *formats]
    assert all(each.equal == 1 for each in found.values())
    assert not format_check.WORK.exists()
    exact = [name for name in found if name != "litert_float16"]
    assert max(found[name].largest_difference for name in exact) <= 1e-5
    assert found["litert_float16"].relative_bytes < 0.6
    assert all(0 < time < 1000 for times in milliseconds.values() for time in times)


def test_int8_is_near_and_small(folder, network):
    found = other_runtimes.forward(folder, "litert_int8")(IMAGES)
    assert np.abs(found - network.predict(IMAGES, verbose=0)).max() < 0.1
    sizes = [(folder / f"model_{name}.tflite").stat().st_size for name in ("int8", "float32")]
    assert sizes[0] < 0.4 * sizes[1]


WRITING = """
import pathlib, sys, keras, numpy
sys.path.insert(0, sys.argv[2])
from exported import VALUES
from trackbed.exporting import exported_folder
from trackbed.inference import other_runtimes
from trackbed.networks import registry
from trackbed.networks.spec import Spec

keras.utils.set_random_seed(0)
network = registry.build("small_cnn", Spec(16, 2))
images = numpy.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=numpy.uint8)
formats = tuple(other_runtimes.PLACES)
exported_folder.write(pathlib.Path(sys.argv[1]), network, ["a", "b"], formats, images, **VALUES)
"""


@pytest.mark.slow
def test_another_process_gives_the_same_bytes_in_every_format(tmp_path):
    written = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        command = [sys.executable, "-c", WRITING, tmp_path / name, Path(__file__).parents[1]]
        subprocess.run(command, cwd=format_check.SOURCE, check=True, capture_output=True)
        written.append(digests(tmp_path / name))
    assert len(written[0]) >= 8
    assert written[0] == written[1]


def test_a_format_that_misses_its_limits_stops_the_export(folder, reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = Reference(reference.probabilities[:, ::-1], LABELS, np.arange(40), 0.5, None)
    with pytest.raises(UserError) as caught:
        format_check.check(folder, ["openvino"], IMAGES, other)
    lines = str(caught.value).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["onnx", "openvino"]
    assert "on 40 test images: equal answers 0, at least 1 is required" in lines[0]
    assert lines[1].endswith("export.formats, or take one of more precision.")


def test_a_file_that_its_runtime_refuses_is_named(folder, reference, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy = tmp_path / "copy"
    exported_folder.write(copy, registry.build("small_cnn", Spec(16, 2)), ["a", "b"], **VALUES)
    (copy / "model_float32.tflite").write_bytes(b"no model at all, but as long as a header")
    with pytest.raises(UserError, match="the runtime of litert_float32 cannot run the exported"):
        format_check.check(copy, ["litert_float32"], IMAGES, reference)


def test_a_network_that_a_converter_does_not_take_is_named(tmp_path):
    pixels = keras.Input((16, 16, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.ops.erfinv(pixels / 256))
    network = keras.Model(pixels, keras.layers.Dense(2, "softmax")(x), name="own")
    with pytest.raises(UserError, match=r"^litert_float32: the network own cannot be converted"):
        converters.write(tmp_path, "litert_float32", network, None)
    assert not list(tmp_path.iterdir())


def test_no_runtime_but_that_of_saved_model_needs_tensorflow(folder, tmp_path):
    code = (
        "import sys, pathlib, numpy\n"
        "sys.modules.update(dict.fromkeys(['tensorflow', 'keras']))\n"
        "from trackbed.inference import other_runtimes\n"
        f"folder = pathlib.Path({str(folder)!r})\n"
        "images = numpy.zeros((2, 16, 16, 3), numpy.uint8)\n"
        "names = ['onnx', *other_runtimes.PLACES][:-1]\n"
        "for name in names:\n"
        "    assert other_runtimes.forward(folder, name, 1)(images).shape == (2, 2)\n"
        "print(*names)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=format_check.SOURCE, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["onnx", *FORMATS[:-1]]


def test_a_format_without_its_runtime_names_what_installs_it(monkeypatch):
    monkeypatch.setattr(other_runtimes, "PACKAGES", {"litert": ("no_such_one", "make litert")})
    other_runtimes.refuse_missing(["saved_model", "openvino"])
    with pytest.raises(UserError, match=r"litert_int8 needs the package no_such_one.*make litert"):
        other_runtimes.refuse_missing(["litert_int8"])
