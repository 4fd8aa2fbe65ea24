"""`trackbed serve` from the command line: what it refuses before it serves."""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import served
from program import trackbed

from trackbed.commands import serve
from trackbed.pipeline.errors import UserError
from trackbed.serving import refusals

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return served.write_model(tmp_path_factory.mktemp("model") / "exported")


def refusal(*arguments):
    """The one line of a command that ended with an error, and its exit code."""
    done = trackbed("serve", *arguments)
    assert (done.stdout, done.stderr.count("\n")) == ("", 1), done.stderr
    return done.stderr, done.returncode


def test_a_missing_model_is_one_line(tmp_path):
    message, code = refusal(tmp_path / "nothing")
    assert (code, "no exported model" in message) == (2, True)


def test_a_damaged_model_is_one_line(tmp_path):
    folder = served.write_model(tmp_path / "exported")
    (folder / "model.onnx").write_bytes(b"damaged")
    message, code = refusal(folder)
    assert (code, "differs from its digest" in message) == (4, True)


@pytest.mark.parametrize(
    "values", [{"image_side": 20}, {"classes": ["a", "b"]}, {"classes": ["a", "a", "b"]}]
)
def test_a_description_that_does_not_fit_the_model_is_refused(tmp_path, values):
    folder = served.write_model(tmp_path / "exported", **values)
    assert refusal(folder)[1] == 4


def test_a_port_in_use_is_one_line(folder):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message, code = refusal(folder, "--port", port)
    assert code == 2
    assert f"--port {port}: another program listens there" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--host", "192.0.2.1"), "no address of this machine"),
        (("--host", "no.such.name.invalid"), "no name or address"),
        (("--port", "70000"), "--port: must be 0 to 65535"),
        (("--port", "http"), "--port"),
        (("--max-bytes", "0"), "--max-bytes: must be 1 or more"),
        (("--timeout", "nan"), "--timeout"),
        (("--name", "a/b"), "--name a/b"),
        (("--token-file", "/nowhere"), "--token-file /nowhere: cannot be read"),
    ],
)
def test_wrong_arguments_are_one_line(folder, arguments, message):
    text, code = refusal(folder, *arguments)
    assert code == 2
    assert message in text


@pytest.mark.parametrize("token", ["", "short", "with blanks in it", "m\xfcllermeier"])
def test_a_weak_token_is_refused(folder, tmp_path, token):
    (tmp_path / "token").write_text(token, encoding="utf-8")
    text, code = refusal(folder, "--token-file", tmp_path / "token")
    assert (code, "a token" in text) == (2, True)


def test_without_the_extra_one_line_says_what_to_install(monkeypatch, folder):
    from trackbed.pipeline.errors import UserError

    monkeypatch.setattr(serve, "PACKAGES", ("starlette", "not_installed_at_all"))
    with pytest.raises(UserError, match=r"not_installed_at_all.*trackbed\[serve\]"):
        serve._require_packages()


def test_the_document_names_every_option_and_code():
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    text = (served.STAGES.parent / "docs/serve.md").read_text("utf-8")
    options = {name for action in parser._actions for name in action.option_strings}
    assert not {name for name in options - {"-h", "--help", "--port"} if name not in text}
    named = [value for name, value in vars(refusals).items() if name.isupper()]
    codes = {value for value in named if isinstance(value, str)}
    assert codes
    assert not {code for code in codes if f"`{code}`" not in text}


def test_serving_imports_nothing_heavy():
    code = (
        "import json, sys; from trackbed.serving import server, served_model;"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(served.STAGES)},
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"tensorflow", "keras", "pandas", "pydantic", "dvc", "scipy", "sklearn", "matplotlib"}
    assert not heavy & set(json.loads(done.stdout))


def test_missing_packages_name_a_make_target_that_exists(monkeypatch):
    monkeypatch.setattr(serve, "PACKAGES", ("no_such_package",))
    with pytest.raises(UserError, match="not installed: no_such_package") as caught:
        serve._require_packages()
    target = re.search(r"`make (\w+)`", str(caught.value))[1]
    makefile = (ROOT / "stages/trackbed/creation/templates/Makefile").read_text("utf-8")
    recipe = re.search(rf"^{target}: .*\n\t(.*)", makefile, flags=re.MULTILINE)[1]
    lock = (ROOT / recipe.split()[-1]).read_text("utf-8")
    assert all(f"\n{name}==" in lock for name in ("starlette", "uvicorn", "prometheus-client"))


def test_the_runtime_leaves_nothing_in_the_home_folder(tmp_path):
    folder = served.write_model(tmp_path / "exported")
    home = tmp_path / "home"
    home.mkdir()
    with served.running(folder, HOME=str(home), XDG_CACHE_HOME=str(home)) as server:
        assert server.predict(served.picture())[0] == 200
    assert list(home.iterdir()) == []
