"""What predicting needs runs without the packages of the pipeline."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import colour_model
import pytest
from PIL import Image
from program import trackbed

ROOT = Path(__file__).parents[1]
BLOCKED = (
    "dvc",
    "dvclive",
    "filelock",
    "keras",
    "matplotlib",
    "pandas",
    "psutil",
    "pydantic",
    "scipy",
)
BLOCKED += ("sklearn", "tensorflow", "yaml")
# An import of any of them fails from here on.
BLOCK = f"import sys\nsys.modules.update(dict.fromkeys({BLOCKED!r}))\n"


def blocked_run(code, folder=None):
    done = subprocess.run(
        [sys.executable, "-c", BLOCK + code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "stages")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pictures_and_sources_are_read_without_the_pipeline():
    blocked_run(
        "from trackbed.pictures import decoding\nfrom trackbed.records import resizing\n"
        "from trackbed.dataset import folders, layouts, manifest_csv, rails, source_pictures\n"
    )


PREDICT = """
sys.argv = ["trackbed", "predict", "new", "--embeddings", "e.npz", "--rejects", "r.csv"]
from trackbed import cli
code = cli.main()
heavy = set({blocked!r}) & {{name for name, module in sys.modules.items() if module}}
assert not heavy, heavy
sys.exit(code)
"""


def test_predict_runs_without_the_pipeline(tmp_path):
    colour_model.write(tmp_path / "exported")
    (tmp_path / "new").mkdir()
    Image.new("RGB", (30, 20), (200, 0, 0)).save(tmp_path / "new" / "1.jpg")
    (tmp_path / "new" / "2.tif").write_bytes(b"II*\0")
    output = blocked_run(PREDICT.format(blocked=BLOCKED), tmp_path)
    assert output.splitlines()[1].startswith("new/1.jpg,red,0.999")


def test_a_folder_of_links_into_a_cache_is_predicted_without_dvc(tmp_path):
    colour_model.write(tmp_path / "exported")
    name = "cd/" + "0" * 30
    cached = tmp_path / ".dvc/cache/files/md5" / name
    cached.parent.mkdir(parents=True)
    Image.new("RGB", (30, 20), (200, 0, 0)).save(cached, "PNG")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1.png").symlink_to(cached)
    output = blocked_run(PREDICT.format(blocked=BLOCKED), tmp_path)
    assert output.splitlines()[1].startswith("new/1.png,red,0.999")


def test_a_command_of_the_pipeline_says_what_is_missing(tmp_path):
    code = "sys.argv = ['trackbed', 'verify']\nfrom trackbed import cli\nprint(cli.main())"
    command = [sys.executable, "-c", BLOCK + code]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "stages")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout == "2\n"
    assert done.stderr.startswith("trackbed: this command needs the package ")
    assert done.stderr.endswith("Run `pip install 'trackbed[pipeline]'`.\n")


UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def light_python(tmp_path_factory):
    """Python of an environment with trackbed[predict] alone; skips where it cannot be made."""
    folder = tmp_path_factory.mktemp("light")
    # A build leaves files beside the code.
    shutil.copytree(
        ROOT / "stages", folder / "source/stages", ignore=shutil.ignore_patterns("__*__")
    )
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / "source" / name)
    program = UV if UV.exists() else shutil.which("uv")
    if program is None:
        pytest.skip("no uv to make an environment with")
    environment = {**os.environ, "VIRTUAL_ENV": str(folder / "environment")}
    for arguments in (
        ("venv", "--python", sys.executable, folder / "environment"),
        ("pip", "install", "--requirement", ROOT / "requirements-predict.lock"),
        ("pip", "install", "--no-deps", folder / "source"),
    ):
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True
        )
        if done.returncode and "build" not in done.stderr.lower():
            pytest.skip(f"the packages cannot be installed here: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr
    return folder / "environment/bin/python"


@pytest.mark.slow
def test_the_extra_predict_is_enough(finished, light_python):
    packages = subprocess.run(
        [
            light_python,
            "-c",
            "from importlib.metadata import *; print(*sorted(one.name for one in distributions()))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "onnxruntime" in packages
    assert not {"tensorflow", "pandas", "dvc", "pydantic", "scikit-learn"} & set(packages)
    command = ["predict", "data/raw", "--format", "jsonl"]
    found = subprocess.run(
        [light_python.parent / "trackbed", *command],
        cwd=finished.folder,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    expected = trackbed(*command, folder=finished.folder)
    assert (found.stdout, found.stderr) == (expected.stdout, expected.stderr)
