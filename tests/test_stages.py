"""dvc.yaml and the scripts agree on what a stage depends on, and params.yaml is safe to cache."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import faults
import pytest
import yaml

from trackbed.reporting import provenance

ROOT = Path(__file__).parents[1]
STAGES = ROOT / "stages"
PIPELINES = [ROOT / "dvc.yaml", ROOT / "data" / "dvc.yaml"]


def stages():
    for path in PIPELINES:
        for name, stage in yaml.safe_load(path.read_text())["stages"].items():
            yield pytest.param(stage, id=name)


def imported(path):
    """The files of this repository that a file imports when it runs, wherever the import stands."""
    for node in running(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
        for name in names:
            for file in (name.replace(".", "/") + ".py", name.replace(".", "/") + "/__init__.py"):
                if (STAGES / file).is_file() and (STAGES / file).read_text().count("\n") > 1:
                    yield STAGES / file


def running(node):
    """All nodes but those that only a type checker reads."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING"):
            yield from running(child)


def closure(script):
    found, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(imported(path))
    return found


def script_of(stage):
    return next(ROOT / word for word in stage["cmd"].split() if word.endswith(".py"))


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)


def tracked(stage):
    """The Python files that a stage depends on, in folders or alone."""
    for dep in stage["deps"]:
        path = ROOT / dep
        if dep.startswith("stages/"):
            yield from path.rglob("*.py") if path.is_dir() else [path]


@pytest.mark.parametrize("stage", list(stages()))
def test_what_a_stage_imports_lies_in_the_folders_it_tracks(stage):
    assert closure(script_of(stage)) <= set(tracked(stage))


@pytest.mark.parametrize("name", ["embed", "train"])
def test_expensive_stages_track_only_what_they_import(name):
    (stage,) = [one.values[0] for one in stages() if one.id == name]
    assert closure(script_of(stage)) == set(tracked(stage))


@pytest.mark.parametrize("stage", list(stages()))
def test_a_stage_tracks_no_folder_that_it_does_not_need(stage):
    imported_files = closure(script_of(stage))
    needed = imported_files | {path.parent for path in imported_files}
    for dep in stage["deps"]:
        if dep.startswith("stages/trackbed/"):
            assert ROOT / dep in needed


@pytest.mark.parametrize("stage", list(stages()))
def test_no_command_holds_a_parameter(stage):
    # DVC hands the command to a shell: a source called `x; rm -rf ~` would run.
    assert "${" not in stage["cmd"]


@pytest.mark.parametrize("stage", list(stages()))
def test_an_output_without_cache_is_a_metric_or_a_plot(stage):
    # Under `outs` it switches the run cache off; these two stages are cheap enough.
    uncached = {name for out in stage.get("outs", []) if isinstance(out, dict) for name in out}
    assert uncached <= {"metrics/report.md", "data/sample"}


def test_faults_and_times_are_known_for_every_stage():
    names = [one.id for one in stages()]
    assert set(faults.MOMENTS) == set(names)
    assert {*provenance.STAGES, "sample", "report"} == set(names)


def test_no_parameter_is_called_size_or_nfiles():
    # DVC's run cache leaves these keys out and would hand back another value's output.
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert not {path[-1] for path in leaves(values)} & {"size", "nfiles"}


def test_params_sections_belong_to_stages_or_change_nothing():
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    tracked = {
        key.partition(".")[0] for stage in stages() for key in stage.values[0].get("params", [])
    }
    # Outputs do not depend on these: tracked, they would run stages again for nothing.
    assert set(values) == tracked | {"runtime", "gate"}
    assert not {"runtime", "gate"} & tracked


@pytest.mark.parametrize("name", ["split", "evaluate", "report"])
def test_a_stage_without_a_network_does_not_import_tensorflow(name):
    files = closure(ROOT / "stages" / f"{name}.py")
    heavy = {"tensorflow", "keras"}
    for path in files:
        for node in running(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert not {module.split(".")[0] for module in modules} & heavy, path


@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("build_tfrecord", "scipy sklearn matplotlib"),
        ("embed", "scipy sklearn matplotlib"),
        ("evaluate", "matplotlib"),
        ("report", "scipy sklearn"),
    ],
)
def test_a_stage_starts_without_packages_that_take_long(name, packages):
    code = f"import sys, {name}; print(*[one for one in sys.argv[1:] if one in sys.modules])"
    command = [sys.executable, "-c", code, *packages.split()]
    done = subprocess.run(command, cwd=STAGES, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


# A room imports from those before it alone.
ROOMS = ["pipeline", "records", "pictures", "dataset", "splitting", "inference", "networks"]
ROOMS += [
    "embedding",
    "training",
    "evaluation",
    "exporting",
    "explanation",
    "gallery",
    "charts",
    "curves",
    "integrity",
    "experiments",
    "drift",
    "reporting",
    "pages",
    "sample",
    "serving",
    "creation",
    "commands",
]


def test_every_folder_of_the_package_has_its_place_in_the_order():
    package = STAGES / "trackbed"
    assert {path.parent.name for path in package.glob("*/*.py")} == set(ROOMS)


def test_the_package_describes_its_folders_in_their_order():
    text = (STAGES / "trackbed" / "__init__.py").read_text()
    assert re.findall(r"^(\w+)  +", text, re.MULTILINE) == ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_in_one_direction(room):
    later = set(ROOMS[ROOMS.index(room) + 1 :])
    for path in (STAGES / "trackbed" / room).glob("*.py"):
        assert not {file.parent.name for file in imported(path)} & later, path


def test_the_sample_needs_the_pipeline_and_the_process_pool():
    for path in (STAGES / "trackbed" / "sample").glob("*.py"):
        files = set(imported(path)) - {STAGES / "trackbed" / "dataset" / "pool.py"}
        assert {file.parent.name for file in files} <= {"pipeline", "sample"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_at_most_twenty_modules(room):
    assert len(list((STAGES / "trackbed" / room).glob("*.py"))) <= 20


def test_no_name_stands_for_two_modules():
    stems = Counter(path.stem for path in STAGES.rglob("*.py") if path.stem != "__init__")
    assert [name for name, count in stems.items() if count > 1] == []


def test_git_converts_no_line_ends():
    # DVC records hashes of code and tables; core.autocrlf would change them in a clone.
    paths = ("dvc.yaml", "params.yaml", "stages/train.py", "metrics/train/plots/metrics/a.tsv")
    command = ["git", "-c", "core.autocrlf=true", "check-attr", "text", "--", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.count(": text: unset\n") == len(paths)
