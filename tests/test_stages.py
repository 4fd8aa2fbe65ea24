"""dvc.yaml and the scripts agree on what a stage depends on, and params.yaml is safe to cache."""

import ast
from pathlib import Path

import pytest
import yaml

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


@pytest.mark.parametrize("stage", list(stages()))
def test_a_stage_depends_on_exactly_the_code_that_it_imports(stage):
    code = {STAGES / "trackbed" / "telling" / "templates"}
    listed = {ROOT / dep for dep in stage["deps"] if dep.startswith("stages/")}
    assert listed - code == closure(script_of(stage))


@pytest.mark.parametrize("stage", list(stages()))
def test_no_command_holds_a_parameter(stage):
    # DVC hands the command to a shell: a source called `x; rm -rf ~` would run.
    assert "${" not in stage["cmd"]


@pytest.mark.parametrize("stage", list(stages()))
def test_an_output_without_cache_is_a_metric_or_a_plot(stage):
    # Under `outs` it switches the run cache off; these two stages are cheap enough.
    uncached = {name for out in stage["outs"] if isinstance(out, dict) for name in out}
    assert uncached <= {"metrics/report.md", "data/sample"}


def test_no_parameter_is_called_size_or_nfiles():
    # DVC's run cache leaves these keys out and would hand back another value's output.
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert not {path[-1] for path in leaves(values)} & {"size", "nfiles"}


def test_every_section_of_params_is_that_of_a_stage_or_changes_no_output():
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    tracked = {
        key.partition(".")[0] for stage in stages() for key in stage.values[0].get("params", [])
    }
    # Outputs do not depend on these: tracked, they would run stages again for nothing.
    assert set(values) == tracked | {"runtime", "gate"}
    assert not {"runtime", "gate"} & tracked


@pytest.mark.parametrize("name", ["split", "report"])
def test_a_stage_without_a_network_does_not_import_tensorflow(name):
    files = closure(ROOT / "stages" / f"{name}.py")
    heavy = {"tensorflow", "keras"}
    for path in files:
        for node in running(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert not {module.split(".")[0] for module in modules} & heavy, path


# A wing imports from those before it and from the modules at the door alone.
WINGS = ["ingest", "learning", "judging", "history", "running", "telling"]


@pytest.mark.parametrize("wing", [*WINGS, "drawing"])
def test_the_wings_import_in_one_direction(wing):
    package = STAGES / "trackbed"
    later = [*WINGS[WINGS.index(wing) + 1 :], "drawing"] if wing in WINGS else WINGS
    for path in (package / wing).glob("*.py"):
        met = {file.parent.name for file in imported(path)}
        assert not met & (set(later) - {wing}), path
