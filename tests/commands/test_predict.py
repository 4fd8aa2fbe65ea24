import csv
import json
import os
import subprocess
import sys

import colour_model
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from program import STAGES, trackbed

from trackbed import cli
from trackbed.exporting import novelty_reference
from trackbed.inference import decoding_threads, novelty
from trackbed.inference.exported_model import ExportedModel
from trackbed.inference.inputs import Input
from trackbed.pipeline import index
from trackbed.records import reader


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a model and pictures, and the current one."""
    monkeypatch.chdir(tmp_path)
    colour_model.write(tmp_path / "exported")
    (tmp_path / "new").mkdir()
    for name, colour in {"1": (200, 0, 0), "2": (0, 200, 0), "10": (90, 90, 100)}.items():
        Image.new("RGB", (30, 20), colour).save(tmp_path / "new" / f"{name}.png")
    (tmp_path / "new" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path


@pytest.fixture
def predict(here, capsys):
    """Exit code, standard output and standard error of `trackbed predict`, in this process."""

    def predict(*arguments):
        code = cli.main(["predict", *map(str, arguments)])
        return code, *capsys.readouterr()

    return predict


def refused(done, code=2):
    """The one line of a command that ended with an exit code."""
    assert done[:2] == (code, "")
    assert done[2].count("\n") == 1
    return done[2]


def test_answers_go_to_standard_output_and_counts_beside_them(predict):
    code, output, errors = predict("new")
    assert code == 0
    rows = output.splitlines()
    assert rows[0] == "file,class,confidence,refused,p_red,p_green,p_blue"
    # exp(10 * 200/255) against twice exp(0); 90 and 100 of 255 are close to each other.
    assert rows[1].startswith("new/1.png,red,0.9992")
    assert rows[3].startswith("new/10.png,blue,0.42")
    assert [row.split(",")[3] for row in rows[1:]] == ["false", "false", "true"]
    assert errors.splitlines() == [
        "4 pictures: 3 answered (1 of these refused), 1 rejected; 0 other files ignored",
        "  damaged: 1",
        "    new/broken.png  (its header cannot be read)",
    ]


def test_one_other_file_is_counted_as_one(predict):
    with open("new/notes.txt", "w") as file:
        file.write("of the second drive")
    errors = predict("new")[2]
    assert "; 1 other file ignored" in errors.splitlines()[0]


def test_a_model_with_a_reference_says_how_new_a_picture_is(predict, here):
    colours = np.float32([[1, 0, 0], [1, 1, 0]])
    novelty_reference.add(here / "exported", novelty.build(colours[:1], colours))
    rows = predict("new")[1].splitlines()
    assert rows[0].startswith("file,class,confidence,refused,novelty,p_red")
    assert [row.split(",")[4] for row in rows[1:]] == ["0", "0.666666667", "0.666666667"]
    (here / "exported" / "reference.npz").write_bytes(b"0")
    assert "reference.npz: differs from its digest" in refused(predict("new"), 4)


def test_output_holds_the_same_bytes_as_standard_output(predict, here):
    _, output, _ = predict("new")
    code, nothing, _ = predict("new", "--output", "answers.csv")
    assert (code, nothing) == (0, "")
    assert (here / "answers.csv").read_text() == output
    for threads, batch in ((1, 1), (3, 2)):
        assert predict("new", "--threads", threads, "--batch", batch)[1] == output


def test_the_name_of_the_output_says_its_format(predict, here):
    predict("new", "--output", "answers.jsonl")
    lines = [json.loads(line) for line in (here / "answers.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == ["new/1.png", "new/2.png", "new/10.png"]
    assert predict("new", "--format", "jsonl")[1] == (here / "answers.jsonl").read_text()


def test_rejects_and_embeddings_are_written(predict, here):
    code, _, _ = predict("new", "--rejects", "r.csv", "--embeddings", "e.npz", "--format", "jsonl")
    assert code == 0
    rejects = pd.read_csv(here / "r.csv")
    assert rejects.to_dict("records") == [
        {"file": "new/broken.png", "reason": "damaged", "detail": "its header cannot be read"}
    ]
    with np.load(here / "e.npz") as stored:
        assert stored["files"].tolist() == ["new/1.png", "new/2.png", "new/10.png"]
        np.testing.assert_allclose(stored["embeddings"][0], [200 / 255, 0, 0], rtol=1e-6)


def test_probabilities_with_and_without_the_temperature(predict):
    def confidence(*options):
        return float(predict("new/10.png", *options)[1].splitlines()[1].split(",")[2])

    logits = np.array([90, 90, 100]) / 25.5
    for options, divisor in (((), 1), (("--raw",), 1), (("--calibrated",), 2)):
        odds = np.exp(logits / divisor)
        assert confidence(*options) == pytest.approx(odds[2] / odds.sum(), rel=1e-5)


def test_a_threshold_replaces_that_of_the_model(predict):
    def states(*options):
        return [row.split(",")[3] for row in predict("new", *options)[1].splitlines()[1:]]

    assert states("--threshold", "0.4") == ["false"] * 3
    assert states("--threshold", "1") == ["true"] * 3


def test_a_model_without_a_threshold_says_so(predict, here):
    colour_model.write(here / "exported", refusal_threshold=None)
    _, output, errors = predict("new/1.png")
    assert output.splitlines()[1].split(",")[3] == ""
    assert "the model has no threshold, so nothing is refused; --threshold sets one" in errors


def test_boxes_of_a_manifest_are_cut_out_as_in_the_build(predict, here):
    half = Image.new("RGB", (40, 20), (255, 0, 0))
    half.paste((0, 0, 255), (20, 0, 40, 20))
    half.save(here / "half.png")
    text = "filename,left,top,right,bottom\nhalf.png,0,0,20,20\nhalf.png,20,0,40,20\n"
    (here / "boxes.csv").write_text(text + "half.png,20,0,41,20\n")
    _, output, errors = predict("boxes.csv")
    rows = [row.split(",")[:3] for row in output.splitlines()[1:]]
    assert rows == [["half.png", "0 0 20 20", "red"], ["half.png", "20 0 40 20", "blue"]]
    assert "box outside: 1\n    half.png  (box 20,0,41,20 of 40 x 20 pixels)" in errors
    colour_model.write(here / "exported", pictures={"crop_margin": 1.0})
    # With 20 pixels more on every side both crops are the whole picture.
    assert len({row.split(",")[4] for row in predict("boxes.csv")[1].splitlines()[1:]}) == 1
    colour_model.write(here / "exported", pictures={"boxes": "ignore"})
    assert len(predict("boxes.csv")[1].splitlines()) == 4


def test_the_limits_are_those_of_the_build(predict, here):
    colour_model.write(here / "exported", pictures={"max_pixels": 599})
    code, output, errors = predict("new")
    assert (code, output.count("\n")) == (3, 1)
    assert "too many pixels: 3\n    new/1.png  (30 x 20, data.max_pixels is 599)" in errors


def test_names_are_read_from_standard_input(here):
    done = subprocess.run(
        [sys.executable, "-m", "trackbed", "predict", "-"],
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(STAGES)},
        input="new/2.png\nnew/gone.png\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert [row.split(",")[0] for row in done.stdout.splitlines()] == ["file", "new/2.png"]
    assert "unreadable: 1\n    new/gone.png  (No such file or directory)" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing"], "trackbed: 'missing': No such file or directory.\n"),
        (["new", "--model", "none"], "none/model.json: no such file"),
        (["new", "--threshold", "80"], "--threshold: must be 0 to 1, got 80."),
        (["new", "--threshold", "nan"], "--threshold: must be 0 to 1"),
        (["new", "--batch", "0"], "--batch: must be 1 or more, got 0."),
        (["new", "--threads", "-1"], "--threads: must be 0 or more, got -1."),
        (["new", "--output", "new"], "--output new: a folder; name a file."),
        (["new", "--output", "new/1.png"], "--output new/1.png: is one of the pictures."),
        (["new/1.png", "--rejects", "new/1.png"], "--rejects new/1.png: is also new/1.png."),
        (["new", "--output", "x", "--rejects", "./x"], "--rejects x: is also --output."),
        (["new", "--output", "exported/model.json"], "must lie outside of exported."),
        (["new", "--embeddings", "e.csv"], "--embeddings e.csv: must end in .npy or .npz."),
        (["new", "--output", "new/1.png/x"], "new/1.png/x: cannot be written (File exists)."),
    ],
)
def test_what_cannot_be_is_one_line(predict, here, arguments, message):
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert message in refused(predict(*arguments))
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_no_picture_at_all_is_bad_data(predict, here):
    (here / "empty").mkdir()
    (here / "empty" / "README.md").touch()
    assert "no picture" in refused(predict("empty"), 3)
    assert "no picture" in refused(predict("empty/"), 3)


def test_nothing_but_rejects_is_bad_data(predict, here):
    code, output, errors = predict("new/broken.png", "--rejects", "r.csv")
    assert (code, output.count("\n")) == (3, 1)
    assert "1 picture: 0 answered" in errors
    assert "new/broken.png" in (here / "r.csv").read_text()


def test_names_that_are_formulas_are_refused_before_any_work(predict, here):
    Image.new("RGB", (20, 20)).save(here / "new" / "a;=f(1).png")
    message = refused(predict("new", "--output", "a.csv"), 3)
    assert "run the name 'new/a;=f(1).png' as a formula" in message
    assert not (here / "a.csv").exists()
    assert predict("new", "--format", "jsonl")[0] == 0


@pytest.mark.parametrize(
    ("classes", "code", "message"),
    [
        (["a", "a", "b"], 4, "a class name is there twice"),
        (["a", "b\x1b[2J", "c"], 4, "has control characters"),
        (["a", "b", "=f(1)"], 3, "would run the class '=f(1)' as a formula"),
    ],
)
def test_hostile_class_names_are_refused(predict, here, classes, code, message):
    colour_model.write(here / "exported", classes)
    assert message in refused(predict("new"), code)


def test_odd_class_names_are_quoted(predict, here):
    names = ['a,"b"', "ü", "p_x"]
    colour_model.write(here / "exported", names)
    predict("new", "--output", "a.csv")
    table = pd.read_csv(here / "a.csv")
    assert list(table["class"]) == [names[0], names[1], names[2]]
    assert list(table.columns)[4:] == [f"p_{name}" for name in names]


def test_a_damaged_model_is_refused(predict, here):
    (here / "exported" / "model.onnx").write_bytes(b"x")
    assert "differs from its digest" in refused(predict("new"), 4)
    colour_model.write(here / "exported", format=99)
    assert "has format 99" in refused(predict("new"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_side": 17}, "takes images of shape [16, 16, 3]"),
        ({"classes": ["a", "b"]}, "model.json says 16 pixels, 2 classes"),
        ({"classes": ["a", "b", "c", "d"]}, "gives [3] probabilities"),
        ({"temperature": None}, "temperature must be a number above 0, not None"),
        ({"files": {}}, "model.onnx: differs from its digest"),
    ],
)
def test_a_description_of_another_model_is_refused(predict, here, changes, message):
    colour_model.write(here / "exported", **{"classes": colour_model.CLASSES} | changes)
    assert message in refused(predict("new"), 4)


def test_a_closed_pipe_ends_it_quietly(here):
    process = subprocess.Popen(
        [sys.executable, "-m", "trackbed", "predict", "new"],
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(STAGES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141


@pytest.fixture(scope="module")
def evaluated(finished):
    """The test part of the finished project: rows of the index, and of the predictions by name."""
    table = index.assigned(finished.folder / "data/records", finished.folder / "data/folds")
    rows = table[table["part"] == "test"]
    with (finished.folder / "data/evaluation/predictions.csv").open(encoding="utf-8") as file:
        return rows, {row["filename"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("source", ["data/raw", "data/records"])
def test_answers_are_those_of_the_evaluation(finished, evaluated, source):
    done = trackbed("predict", source, folder=finished.folder)
    assert done.returncode == 0
    found = {}
    for row in csv.DictReader(done.stdout.splitlines()):
        found[row["file"].removeprefix("data/raw/")] = row
    for name, expected in evaluated[1].items():
        row = found[name]
        assert row["class"] == expected["predicted"]
        same = ["confidence", *(column for column in expected if column.startswith("p_"))]
        assert [row[column] for column in same] == [expected[column] for column in same]
    assert len(evaluated[1]) > 5


def test_pixels_are_those_of_the_records(finished, evaluated):
    model = ExportedModel.load(finished.folder / "exported")
    opener = decoding_threads.opener(model)
    raw = finished.folder / "data/raw"
    rows = evaluated[0]
    found = [opener(Input(name, str(raw / name))).pixels for name in rows["filename"]]
    expected = reader.pixels(finished.folder / "data/records", rows, model.side, model.side)
    np.testing.assert_array_equal(np.stack(found), expected)


def on_a_terminal(*arguments, folder):
    """What `trackbed predict` shows on a terminal as standard error."""
    outside, inside = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "trackbed", "predict", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(STAGES)},
        stdout=subprocess.DEVNULL,
        stderr=inside,
    ) as process:
        os.close(inside)
        shown = b""
        try:
            while data := os.read(outside, 4096):
                shown += data
        except OSError:  # Linux, once nobody has the other end
            pass
    os.close(outside)
    return process.returncode, shown.decode()


def test_a_bar_is_shown_on_a_terminal_and_spoils_no_tiff(here):
    for number in range(30):
        Image.new("RGB", (40, 40), "red").save(here / "new" / f"t{number}.tif", compression="jpeg")
    code, shown = on_a_terminal("new", "--output", "a.csv", folder=here)
    assert code == 0
    assert "predicting" in shown
    assert "34 pictures: 33 answered" in shown


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_pictures(here):
    peaks = []
    for count in (200, 4000):
        folder = here / str(count)
        folder.mkdir()
        for number in range(count):
            os.link(here / "new/1.png", folder / f"{number}.png")
        command = [sys.executable, "-m", "trackbed", "predict", folder, "--output", "a.csv"]
        process = subprocess.Popen(
            command, cwd=here, env=os.environ | {"PYTHONPATH": str(STAGES)}, stderr=-1
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        peaks.append(usage.ru_maxrss)
    assert peaks[1] < 1.05 * peaks[0]


# The libraries of the command that are loaded, and whether it has begun before NumPy was there.
START = """
import gc, sys
from trackbed import cli
cli.main(["predict", "new/1.png", "--output", "answers.csv"])
heavy = {"cv2", "multiprocessing", "pandas", "pydantic", "rich", "tensorflow"}
print(sorted(heavy & sys.modules.keys()), gc.get_freeze_count() > 10_000)
"""


def test_it_starts_with_little(here):
    done = subprocess.run(
        [sys.executable, "-c", START],
        env={"PYTHONPATH": str(STAGES)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[] True\n"


def test_help_states_order_and_exit_codes():
    text = trackbed("predict", "--help").stdout
    assert "2.jpg before 10.jpg" in text
    assert "exit code: 0" in text
