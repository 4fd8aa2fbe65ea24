"""Remote storages are really pushed to and pulled from, by the commands of docs/remote.md."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
import storages
import yaml
from project import Project

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
# Headings of the document whose commands the tests below run.
RUN = {"A folder", "S3", "SSH", "Every day", "Free disk space", "CI", "Recovery"}


def sections():
    """Heading -> its shell commands, in order."""
    found = {}
    for part in re.split(r"^#+ ", (ROOT / "docs/remote.md").read_text("utf-8"), flags=re.M)[1:]:
        heading, _, text = part.partition("\n")
        blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
        if blocks:
            found[heading] = "".join(blocks).splitlines()
    return found


def shell(project, *commands, succeeds=True, **environment):
    prepared = [f"export {name}={value!r}" for name, value in environment.items()]
    return project.run("bash", "-euc", "\n".join([*prepared, *commands]), succeeds=succeeds)


def check(project, question, succeeds=True):
    return project.run(".ci/check", question, succeeds=succeeds)


def setup(storage):
    text = "\n".join(sections()[storage.heading])
    for documented, here in storage.here.items():
        assert documented in text
        text = text.replace(documented, here)
    return text.splitlines()


def place(digest):
    """Where an object lies below the storage."""
    return f"files/md5/{digest[:2]}/{digest[2:]}"


def clone(project, folder):
    project.run("git", "clone", "-q", project.folder, folder)
    return Project(folder)


def test_every_command_of_the_document_is_run_here():
    assert set(sections()) == RUN


# Transfer: a few small files, every kind of storage.


@pytest.fixture(params=["folder", "s3", "ssh"])
def storage(request, tmp_path):
    match request.param:
        case "folder":
            return storages.in_folder(tmp_path / "store")
        case "s3":
            return storages.in_s3(request.getfixturevalue("s3_server"), tmp_path.name)
        case "ssh":
            return storages.in_ssh(*request.getfixturevalue("ssh_server"), tmp_path / "store")


@pytest.fixture
def small(tmp_path):
    """A repository with two files in a folder, committed, nothing pushed."""
    folder = tmp_path / "small"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures/first").write_bytes(b"first" * 100)
    (folder / "pictures/second").write_bytes(b"second" * 100)
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    (folder / ".gitignore").write_text("/.cache/\n")
    project = Project(folder)
    shell(project, "git init -q -b main", "dvc init -q", "dvc add -q pictures")
    return project


def test_files_come_back_and_damaged_ones_are_refused(storage, small, tmp_path):
    shell(small, *setup(storage))
    small.commit("files and a storage")
    assert not small.run("git", "ls-files", ".dvc/config.local", ".cache")
    output = check(small, "pushed", succeeds=False)
    assert "pictures/second" in output
    assert "dvc push" in output
    small.run("dvc", "push", "-q")

    # In CI the secrets come from the environment.
    job = clone(small, tmp_path / "job")
    job.environment |= storage.secrets
    check(job, "credentials")
    assert check(job, "pushed") == "\n"
    job.run("dvc", "pull", "-q")
    for name in ("first", "second"):
        content = (small.folder / "pictures" / name).read_bytes()
        assert (job.folder / "pictures" / name).read_bytes() == content

    damaged = place(hashlib.md5(content).hexdigest())
    storage.write(damaged, content.replace(b"s", b"S"))
    other = clone(job, tmp_path / "other")
    other.environment |= storage.secrets
    check(other, "credentials")
    assert "pictures" in other.run("dvc", "pull", succeeds=False)
    assert not (other.folder / "pictures").exists()
    naming, mending, *_ = sections()["Recovery"]
    assert f"{damaged}'." in shell(other, naming)

    storage.delete(damaged)
    assert "Everything is up to date." in shell(small, mending)  # as the document warns
    listing = yaml.safe_load((small.folder / "pictures.dvc").read_text())["outs"][0]["md5"]
    assert listing.endswith(".dir")
    storage.delete(place(listing))
    shell(small, mending)
    other.run("dvc", "pull", "-q")
    assert (other.folder / "pictures/second").read_bytes() == content


# The story of a change: the real pipeline, from the workstation to the gate.


@pytest.fixture(scope="module")
def workstation(finished, tmp_path_factory):
    """The finished project with a storage, pushed and committed twice."""
    folder = tmp_path_factory.mktemp("story")
    shutil.copytree(finished.folder, folder / "workstation")
    shutil.copytree(ROOT / ".ci", folder / "workstation/.ci")
    project = Project(folder / "workstation")
    shell(project, *setup(storages.in_folder(folder / "store")))
    daily = sections()["Every day"][:4]
    project.output = shell(project, *daily)
    project.commit("Nothing, to have a base")
    return project


@pytest.fixture
def fresh(workstation, tmp_path):
    return clone(workstation, tmp_path / "clone")


def test_a_clone_pulls_everything_and_runs_nothing(workstation, fresh):
    assert "Data and pipelines are up to date." in workstation.output
    output = shell(fresh, *sections()["Every day"][4:])
    assert "Data and pipelines are up to date." in output
    (fresh.folder / "data/folds/folds.csv").unlink()
    (fresh.folder / "params.yaml").write_text("half wri")
    shell(fresh, *sections()["Recovery"][2:])
    assert "Data and pipelines are up to date." in fresh.run("dvc", "repro")


def test_the_outputs_of_a_commit_are_made_again(fresh):
    shell(fresh, *sections()["Every day"][4:])
    predictions = fresh.folder / "data/evaluation/predictions.csv"
    content = predictions.read_bytes()
    digest = hashlib.md5(content).hexdigest()
    shell(fresh, f"rm -rf data/evaluation .dvc/cache/{place(digest)}")
    commit = fresh.run("git", "rev-parse", "HEAD").strip()
    text = "\n".join(sections()["Free disk space"])
    shell(fresh, text.replace("3de6bb0552", commit))
    assert predictions.read_bytes() == content
    assert fresh.run("git", "branch", "--show-current") == "main\n"


def test_ci_pulls_what_it_needs_and_repeats_the_scores(fresh):
    lock, pushed, pull, results, differences, gate = sections()["CI"]
    shell(fresh, lock, pushed)
    cached = {"data/raw", "data/records", "data/folds", "data/embeddings", "data/evaluation"}
    cached |= {"exported", "models", "plots/seen.jpg", "plots/report.html"}
    assert not {path for path in cached if (fresh.folder / path).exists()}
    assert fresh.run("git", "status", "--porcelain") == ""

    shell(fresh, pull)
    there = {path for path in cached if (fresh.folder / path).exists()}
    assert there == needed(fresh)
    assert "Running" not in fresh.run("dvc", "repro", "--allow-missing")

    assert stages_run(shell(fresh, results)) == ["evaluate", "report"]
    assert (fresh.folder / "plots/report.html").exists()
    assert "| Path" in shell(fresh, differences)
    assert "difference +0.0000" in shell(fresh, gate)


def needed(project):
    """What dvc.yaml says that evaluate and report read, less what git has or they write."""
    stages = yaml.safe_load((project.folder / "dvc.yaml").read_text())["stages"]
    read = set(stages["evaluate"]["deps"] + stages["report"]["deps"])
    tracked = project.run("git", "ls-files").splitlines()
    in_git = {path for path in read for name in tracked if f"{name}/".startswith(f"{path}/")}
    return read - in_git - set(stages["evaluate"]["outs"])


def stages_run(output):
    return re.findall(r"Running stage '(\w+)'", output)


def test_a_changed_evaluate_runs_evaluate_and_report(fresh):
    check(fresh, "pull")
    code = fresh.folder / "stages/trackbed/evaluation/result.py"
    changed = code.read_text().replace(
        "SCORES_FILE, scores, SCORES_COLUMNS)",
        'SCORES_FILE, scores | {"novel": 1}, (*SCORES_COLUMNS, "novel"))',
    )
    assert "novel" in changed
    code.write_text(changed)
    fresh.change(report={"title": "With a new score"})  # otherwise the page stays as it was
    assert "FAILED: dvc.lock" in check(fresh, "lock", succeeds=False)
    assert stages_run(fresh.run("dvc", "repro", "--allow-missing")) == [
        "export",
        "evaluate",
        "report",
    ]
    check(fresh, "lock")
    output = fresh.run("python", ".ci/same_scores.py", succeeds=False)
    assert output == "FAILED: metrics/evaluate.json, novel: committed None, computed here 1\n"

    fresh.commit("a new score, and the push forgotten")
    output = check(fresh, "pushed", succeeds=False)
    assert "plots/report.html" in output.splitlines()
    assert "models/model.keras" not in output
    assert "novel" in shell(fresh, ".ci/check differences", BASE="HEAD~1")


def test_edited_scores_are_refused(fresh):
    check(fresh, "pull")
    summary = fresh.folder / "plots/evaluation_summary.csv"
    summary.write_text(summary.read_text().replace("1.0", "0.9"))
    fresh.commit("embellished")
    assert "FAILED: the results" in check(fresh, "results", succeeds=False)


@pytest.mark.parametrize(("change", "same"), [(1e-6, True), (1e-3, False)])
def test_scores_may_differ_by_rounding_alone(fresh, change, same):
    scores = fresh.folder / "metrics/evaluate.json"
    values = json.loads(scores.read_text())
    values["details"][0]["loss"] += change
    scores.write_text(json.dumps(values))
    assert fresh.run("git", "status", "--porcelain")
    fresh.run("python", ".ci/same_scores.py", succeeds=same)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("params.yaml", "epochs: 2", "epochs: 3"),
        ("stages/trackbed/evaluation/metrics.py", "import", "\nimport"),
        ("data/raw.dvc", "md5: ", "md5: 0"),
        ("metrics/evaluate.json", "macro", "micro"),
    ],
)
def test_a_change_without_a_repro_is_found_without_pulling(fresh, path, before, after):
    file = fresh.folder / path
    file.write_text(file.read_text().replace(before, after, 1))
    assert "FAILED: dvc.lock" in check(fresh, "lock", succeeds=False)


def test_ci_refuses_a_storage_without_verify(fresh):
    fresh.run("dvc", "remote", "modify", "store", "verify", "false")
    assert "set verify = true" in check(fresh, "pull", succeeds=False)


def test_a_missing_base_is_an_error(fresh):
    output = shell(fresh, ".ci/check differences", succeeds=False, BASE="0" * 40)
    assert "whole history" in output


def test_the_gate_exits_with_2_if_the_storage_is_offline(fresh):
    fresh.run("dvc", "remote", "add", "-d", "away", "s3://bucket/trackbed")
    fresh.run("dvc", "remote", "modify", "away", "endpointurl", "http://127.0.0.1:9")
    keys = {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "SECRET"}
    fresh.environment |= keys | {"AWS_MAX_ATTEMPTS": "1"}
    output = shell(fresh, ".ci/check gate || [ $? = 2 ]", BASE="HEAD~1")
    assert output.startswith("trackbed: remote storage away: ")
    assert "Traceback" not in output
