"""The commands, files and code in the documents exist and work."""

import argparse
import ast
import importlib
import io
import itertools
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from dvc.cli.parser import get_main_parser
from PIL import Image
from project import copied

from trackbed import cli
from trackbed.experiments import search, validity
from trackbed.records import resizing, tfrecord

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


def blocks(path, language):
    return re.findall(rf"```{language}\n(.*?)```", path.read_text("utf-8"), flags=re.DOTALL)


def anchors(path):
    """The anchors that GitHub makes of the headings of a document."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings_that_exist(path):
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#?([^)]*)\)", path.read_text("utf-8")):
        linked = path.parent / target if target else path
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), anchor


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_of_code_in_documents_exist(path):
    # NAME and ANCHOR stand for a name that the reader chooses, and so does tiny.py.
    named = re.findall(r"`((?:stages|tests|benchmarks|recipes|\.ci)/[\w./]+)`", path.read_text())
    missing = [name for name in named if not (ROOT / name).exists()]
    assert [name for name in missing if not re.search(r"NAME|ANCHOR|/tiny\.py", name)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_commands_in_documents_exist(path):
    known = set(cli.COMMANDS)
    text = "\n".join(line.partition("#")[0] for line in _code(path))
    assert set(re.findall(r"\btrackbed ([a-z]+)", text)) <= known


def programs(path):
    """The calls of trackbed and dvc in a document's shell blocks, as lists of arguments."""
    text = "".join(blocks(path, "sh") + blocks(path, "console")).replace("\\\n", " ")
    for line in re.sub(r"^\$ ", "", text, flags=re.MULTILINE).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        for is_separator, words in itertools.groupby(
            lexer, lambda word: set(word) <= set("<>|&;()")
        ):
            call = list(words)
            if not is_separator and call[0] in ("trackbed", "dvc"):
                yield call


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_calls_in_documents_have_valid_arguments(path):
    for program, *arguments in programs(path):
        parser = cli.parser() if program == "trackbed" else get_main_parser()
        parser.parse_args(arguments)  # ends the process with a message if it cannot


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_settings_of_sweeps_in_documents_are_valid(path):
    sections = yaml.load((ROOT / "params.yaml").read_text(), Loader=yaml.BaseLoader)
    for words in programs(path):
        if words[:2] == ["trackbed", "sweep"]:
            assignments = cli.parser().parse_args(words[1:]).assignments
            space = search.search_space(assignments) if assignments else {}
            validity.check_settings(search.extreme_settings(space), sections)


@pytest.mark.parametrize("command", ["sweep", "best"])
def test_the_document_of_sweeps_names_every_option(command):
    parser = argparse.ArgumentParser()
    importlib.import_module(f"trackbed.commands.{command}").add_arguments(parser)
    options = {name for action in parser._actions for name in action.option_strings}
    text = (ROOT / "docs" / "sweep.md").read_text("utf-8")
    assert not {name for name in options - {"-h", "--help", "--rev", "--top"} if name not in text}


@pytest.mark.parametrize("command", ["new", "predict"])
def test_the_document_of_a_command_names_every_option(command):
    parser = argparse.ArgumentParser()
    importlib.import_module(f"trackbed.commands.{command}").add_arguments(parser)
    options = {name for action in parser._actions for name in action.option_strings}
    text = (ROOT / "docs" / f"{command}.md").read_text("utf-8")
    assert not {name for name in options - {"-h", "--help"} if name not in text}


def _code(path):
    """Lines of code blocks, and what stands in backquotes."""
    text = path.read_text("utf-8")
    fenced = re.findall(r"```(?:sh|console)\n(.*?)```", text, flags=re.DOTALL)
    rest = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [*"".join(fenced).splitlines(), *re.findall(r"`([^`]+)`", rest)]


def test_the_make_targets_in_documents_exist():
    templates = ROOT / "stages/trackbed/creation/templates"
    makefile = "\n".join((folder / "Makefile").read_text() for folder in (ROOT, templates))
    text = "\n".join(line for path in DOCUMENTS for line in _code(path))
    for target in re.findall(r"\bmake ([a-z-]+)", text):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_readmes_network_of_ten_lines_builds():
    (code,) = [code for code in blocks(ROOT / "README.md", "python") if "def tiny" in code]
    from trackbed.networks.spec import Spec

    names = {}
    exec(code, names)
    assert names["tiny"](Spec(32, 4, 0.1)).output_shape == (None, 4)
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 10


def test_the_python_code_of_the_documents_is_python():
    for path in DOCUMENTS:
        for code in blocks(path, "python"):
            ast.parse(code)


def test_code_that_reads_records_and_uses_the_model_runs(finished):
    reading, _, *using, scores = blocks(ROOT / "docs" / "records.md", "python")
    for code in (reading, *using, scores):
        code = code.replace("picture.jpg", "data/raw/GRAS/000_0.png")
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=finished.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout
        if code in using:
            assert done.stdout.split()[0] in {"BALLAST", "GRAS", "STONE"}


def test_a_clone_with_own_pictures_is_clean_without_the_sample(finished, tmp_path):
    text = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "docs/new.md"))
    (command,) = set(re.findall(r"git rm data/dvc\S+ data/dvc\S+(?=[`\n])", text))
    project = copied(finished, tmp_path / "project")
    shutil.copy(ROOT / "data/dvc.lock", project.folder / "data")
    project.commit()
    assert "deleted:            data/sample" in project.run("dvc", "status")
    project.run(*command.split())
    assert project.run("dvc", "status") == "Data and pipelines are up to date.\n"


@pytest.mark.parametrize("encoding", ["jpeg", "png", "raw"])
def test_the_code_that_reads_records_gives_our_pixels(tmp_path, monkeypatch, encoding):
    # Noise, with colour at half the resolution: decoders differ most.
    noise = np.random.default_rng(0).integers(0, 256, (41, 67, 3)).astype(np.uint8)
    file = io.BytesIO()
    if encoding == "raw":
        file.write(noise.tobytes())
    else:
        options = {"quality": 90, "subsampling": 2} if encoding == "jpeg" else {}
        Image.fromarray(noise).save(file, encoding, **options)
    data = file.getvalue()
    features = {"image_raw": data, "encoding": encoding, "height": 41, "width": 67, "label": 3}
    content = tfrecord.example(features)
    header, footer = tfrecord.frame(content)
    path = tmp_path / "data" / "records" / "part-00000.tfrecord"
    path.parent.mkdir(parents=True)
    path.write_bytes(header + content + footer)
    monkeypatch.chdir(tmp_path)

    printed = []
    names = {"print": lambda *values: printed.append(values)}  # of the document's code
    exec(blocks(ROOT / "docs" / "records.md", "python")[0], names)
    assert printed == [((41, 67, 3), 3)]
    np.testing.assert_array_equal(names["image"], resizing.decoded(data, encoding, 41, 67))


def test_index_columns_match_the_documents():
    from trackbed.pipeline import index

    text = (ROOT / "docs" / "records.md").read_text()
    listed = re.search(r"one row per record: `([^`]+)`", text).group(1).replace("\n", " ")
    assert [name.strip() for name in listed.split(",")] == list(index.INDEX_TABLE.columns)


def test_findings_columns_and_kinds_match_the_documents():
    from trackbed.pipeline import index

    text = (ROOT / "docs" / "records.md").read_text()
    listed = re.search(r"worst kinds first: `([^`]+)`", text).group(1).replace("\n", " ")
    assert [name.strip() for name in listed.split(",")] == list(index.FINDINGS_TABLE.columns)
    explained = (ROOT / "docs" / "data.md").read_text()
    assert [kind for kind in index.FINDING_TYPES if f"| `{kind}` |" not in explained] == []


def test_every_reason_of_a_reject_is_documented():
    from trackbed.pictures import rejections

    names = vars(rejections).items()
    reasons = {value for name, value in names if name.isupper() and isinstance(value, str)}
    text = (ROOT / "docs" / "sources.md").read_text()
    assert not {reason for reason in reasons if f"`{reason}`" not in text}


def test_augmentation_entries_of_the_document_are_complete():
    from pydantic import TypeAdapter

    from trackbed.networks import augmentation

    text = (ROOT / "docs" / "augmentation.md").read_text()
    entries = [yaml.safe_load(entry) for entry in re.findall(r"^\| `(\{.*?\})`", text, flags=re.M)]
    changes = TypeAdapter(augmentation.Changes).validate_python(entries)
    kinds = {kind for kind in vars(augmentation).values() if isinstance(kind, type)}
    named = {kind for kind in kinds if "name" in getattr(kind, "model_fields", {})}
    assert {type(change) for change in changes} == named


def test_the_readme_links_every_document():
    text = (ROOT / "README.md").read_text()
    assert [path.name for path in DOCUMENTS[1:] if f"{path.name})" not in text] == []


def test_every_recipe_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    for path in (ROOT / "recipes").glob("*.yaml"):
        assert f"`{path.stem}`" in text
