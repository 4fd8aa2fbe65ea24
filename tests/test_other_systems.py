"""The program without what Windows lacks: other_systems/sitecustomize.py takes it away.

That leaves out what only Windows and macOS themselves can show: backslashes in paths, names that
differ in case alone, and the packages there. CI runs a selection of the tests on both.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import colour_model
import project
import pytest
import served
import yaml
from PIL import Image
from program import trackbed

ROOT = Path(__file__).parents[1]
OTHER = ROOT / "tests/other_systems"


def elsewhere(folder, *arguments, code=ROOT / "stages", succeeds=True):
    """Standard output, as bytes, and standard error of Python without what Windows lacks."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{OTHER}{os.pathsep}{code}"},
        capture_output=True,
    )
    message = done.stderr.decode()
    assert (done.returncode == 0) == succeeds, message
    return done.stdout, message


def files(folder, *names):
    """The content of all files below some folders or files."""
    paths = [path for name in names for path in (folder / name, *(folder / name).rglob("*"))]
    return {f"{one.relative_to(folder)}": one.read_bytes() for one in paths if one.is_file()}


MISSING = """
import os, signal
from pathlib import Path
try:
    import fcntl
except ModuleNotFoundError as error:
    print(error.name)
print(hasattr(os, "fork"), hasattr(os, "killpg"), hasattr(signal, "SIGHUP"))
Path("text").write_text("ä\\n")
file = open("text")
for step in (
    lambda: os.replace("stages/script.py", "text"),
    lambda: os.unlink("text"),
    lambda: os.symlink("a", "b"),
    lambda: os.open("stages", os.O_RDONLY),
    lambda: os.fsync(file.fileno()),
):
    try:
        step()
    except OSError as error:
        print(type(error).__name__)
"""


def test_the_package_really_misses_what_windows_lacks(tmp_path):
    """Otherwise all other tests here would show nothing."""
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/script.py").write_text(MISSING)
    output, _ = elsewhere(tmp_path, "stages/script.py")
    missing = ["fcntl", "False", "False", "False"]
    refused = ["PermissionError", "PermissionError", "OSError", "PermissionError", "OSError"]
    assert output.decode().split() == missing + refused
    assert (tmp_path / "text").read_bytes() == b"\xe4\r\n"


IMPORTS = """
import importlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
for path in sorted(root.glob("trackbed/*/*.py")):
    importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
"""


@pytest.mark.slow
def test_every_module_can_be_imported(tmp_path):
    elsewhere(tmp_path, "-c", IMPORTS, ROOT / "stages")


OUTPUTS = """
from pathlib import Path
from trackbed.pipeline import outputs
path = Path("scores.json")
outputs.write_json(path, {"name": "ä"})
path.chmod(0o444)  # as files that DVC has linked into its cache are
outputs.write_json(path, {"name": "ö"})
with outputs.replacing_folder(Path("records")) as folder:
    (folder / "1").touch(0o444)
with outputs.replacing_folder(Path("records")) as folder:
    (folder / "2").touch()
"""


def test_outputs_replace_read_only_ones_byte_for_byte(tmp_path):
    elsewhere(tmp_path, "-c", OUTPUTS)
    assert files(tmp_path, ".") == {
        "scores.json": '{\n  "name": "ö"\n}\n'.encode(),
        "records/2": b"",
    }


HELD = """
import sys
from pathlib import Path
from trackbed.pipeline import operating_system, outputs
operating_system.WAITS = (0.01,)
place = Path(sys.argv[1])
file = open("scores/a.csv")
with outputs.replacing(place) as temporary:
    temporary.mkdir() if place.is_dir() else temporary.touch()
"""


@pytest.mark.parametrize("place", ["scores", "scores/a.csv"])
def test_a_file_that_is_open_elsewhere_is_named(tmp_path, place):
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores/a.csv").write_text("old")
    _, message = elsewhere(tmp_path, "-c", HELD, place, succeeds=False)
    assert message.splitlines()[-1] == (
        "trackbed.pipeline.errors.UserError: scores/a.csv: cannot be replaced; close the program "
        "that has it open, then run again."
    )
    assert files(tmp_path, ".") == {"scores/a.csv": b"old"}


GROUP = """
import subprocess, sys
from trackbed.experiments import clones
from trackbed.pipeline import operating_system
command = ["sh", "-c", "sleep 60 & echo; wait; sleep 60"]
leader = subprocess.Popen(command, stdout=subprocess.PIPE, **operating_system.OWN_GROUP)
leader.stdout.readline()
print(len(operating_system.group(leader)))
clones.end_processes([leader])
print(len(operating_system.group(leader)), leader.returncode != 0)
"""


def test_a_process_and_its_children_are_ended(tmp_path):
    output, _ = elsewhere(tmp_path, "-c", GROUP)
    assert output.split() == [b"2", b"0", b"True"]


def test_where_links_are_refused_a_folder_is_copied(tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records/1").touch()
    code = "from pathlib import Path; from trackbed.pipeline import operating_system as o; "
    code += "o.link_or_copy(Path('records'), Path('copy'))"
    elsewhere(tmp_path, "-c", code)
    assert (tmp_path / "copy/1").is_file()


def test_predict_gives_the_same_bytes(tmp_path):
    colour_model.write(tmp_path / "exported")
    (tmp_path / "new").mkdir()
    Image.new("RGB", (30, 20), (200, 0, 0)).save(tmp_path / "new" / "日 ä.jpg")
    (tmp_path / "new" / "2.tif").write_bytes(b"II*\0")
    arguments = ["predict", "new", "--embeddings", "e.npz", "--rejects", "r.csv"]
    usual = trackbed(*arguments, folder=tmp_path)
    written = files(tmp_path, "e.npz", "r.csv")
    output, message = elsewhere(tmp_path, "-m", "trackbed", *arguments)
    assert (output.decode(), message) == (usual.stdout, usual.stderr)
    assert files(tmp_path, "e.npz", "r.csv") == written


def test_serve_answers_and_stops(tmp_path):
    served.write_model(tmp_path / "exported")
    process = subprocess.Popen(
        [sys.executable, "-m", "trackbed", "serve", "--port", "0"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{OTHER}{os.pathsep}{ROOT / 'stages'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        lines = iter(process.stdout.readline, "")
        address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
        with urllib.request.urlopen(f"{address}v2/health/ready") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.communicate()


def stages(folder):
    return yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]


def scripts(folder, *names):
    """The commands of some stages in dvc.yaml, as arguments of Python; all without names."""
    known = stages(folder)
    return [shlex.split(known[name]["cmd"])[1:] for name in names or known]


@pytest.fixture
def few_pictures(tmp_path):
    for name in ("stages", "dvc.yaml", "params.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "params.yaml").unlink()
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for section, changes in project.TINY.items():
        values[section] |= changes
    values["runtime"]["workers"] = 2
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    project.draw(tmp_path / "data/raw")
    return tmp_path


def test_new_processes_build_and_split_the_same_bytes(few_pictures):
    written = []
    for start in ("usual", "elsewhere"):
        for script in scripts(few_pictures, "build_tfrecord", "split"):
            if start == "usual":
                subprocess.run([sys.executable, *script], cwd=few_pictures, check=True)
            else:
                elsewhere(few_pictures, *script, code="")
        written.append(files(few_pictures, "data/records", "data/folds", "data/groups", "metrics"))
    assert written[0] == written[1]
    assert "data/records/index.csv" in written[0]


@pytest.mark.slow
def test_the_whole_pipeline_gives_the_same_bytes(finished):
    for script in scripts(finished.folder):
        elsewhere(finished.folder, *script, code="")
    assert finished.run("dvc", "status", "--quiet", *stages(finished.folder)) == ""
    assert finished.run("git", "status", "--short") == ""
