"""The CI files are valid, careful with secrets, and ask the same of a commit on both systems."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github/workflows/trackbed.yml"
DOCS = ROOT / ".github/workflows/docs.yml"
SYSTEMS = ROOT / ".github/workflows/systems.yml"
GITLAB = ROOT / ".gitlab-ci.yml"
SCHEMAS = {
    GITHUB: ["--builtin-schema", "vendor.github-workflows"],
    DOCS: ["--builtin-schema", "vendor.github-workflows"],
    SYSTEMS: ["--builtin-schema", "vendor.github-workflows"],
    GITLAB: ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}
# Options of a DVC remote that are, or lead to, a credential.
SECRET = re.compile(r"(key|secret|token|password|passphrase|credential|connection_string|user)")


def jobs():
    return yaml.safe_load(GITHUB.read_text())["jobs"]


def steps():
    return [(name, step) for name, job in jobs().items() for step in job["steps"]]


def validated(path, schema):
    command = [sys.executable, "-m", "check_jsonschema", *schema, path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_the_file_fits_its_schema(path, tmp_path):
    done = validated(path, SCHEMAS[path])
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / path.name
    wrong.write_text(path.read_text() + "\nanother:\n  script: {}\n")
    assert validated(wrong, SCHEMAS[path]).returncode == 1


@pytest.mark.parametrize("path", [GITHUB, DOCS, SYSTEMS], ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_say_their_version(path):
    lines = [line for line in path.read_text().splitlines() if "uses:" in line]
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    assert len(lines) == sum("uses" in step for job in jobs for step in job["steps"])
    for line in lines:
        assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_jobs_may_read_the_repository_and_nothing_else():
    assert yaml.safe_load(GITHUB.read_text())["permissions"] == {}
    for job in jobs().values():
        assert job["permissions"] == {"contents": "read"}
    checkouts = [step for _, step in steps() if "checkout" in step.get("uses", "")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False, False]


def test_only_the_main_branch_publishes_the_site():
    build, publish = yaml.safe_load(DOCS.read_text())["jobs"].values()
    assert yaml.safe_load(DOCS.read_text())["permissions"] == {}
    assert build["permissions"] == {"contents": "read"}
    assert build["steps"][0]["with"] == {"persist-credentials": False}
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert (build["if"], publish["needs"]) == ("vars.DOCS_PAGES == 'true'", "build")
    assert yaml.safe_load(DOCS.read_text())[True] == {"push": {"branches": ["main"]}}
    assert not any("${{" in step.get("run", "") for step in [*build["steps"], *publish["steps"]])
    (rule,) = yaml.safe_load(GITLAB.read_text())["pages"]["rules"]
    assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in rule["if"]


def test_other_systems_run_the_portable_tests_alone():
    workflow = yaml.safe_load(SYSTEMS.read_text())
    (job,) = workflow["jobs"].values()
    assert (workflow["permissions"], job["permissions"]) == ({}, {"contents": "read"})
    assert "secrets." not in SYSTEMS.read_text()
    assert not any("${{" in step.get("run", "") for step in job["steps"])
    assert job["steps"][-1]["run"] == "python -m pytest -q tests/test_portable.py"


def test_no_expression_is_pasted_into_a_script():
    # GitHub writes the value, such as a branch's name, into the script before the shell reads it.
    for _, step in steps():
        assert "${{" not in step.get("run", "")
    # GitHub's event that gives a fork's code the secrets of the repository.
    assert "pull_request_target" not in GITHUB.read_text()


def test_secrets_stay_in_steps_that_forks_do_not_run():
    secretive = [(name, step) for name, step in steps() if "secrets." in yaml.safe_dump(step)]
    assert {name for name, _ in secretive} == {"results"}
    for _, step in secretive:
        assert "secrets." not in yaml.safe_dump({k: v for k, v in step.items() if k != "env"})
        assert step["run"].startswith(".ci/check ")
    given = sum(len(step["env"]) for _, step in secretive)
    assert GITHUB.read_text().count("${{ secrets.") == given
    assert "head.repo.full_name == github.repository" in jobs()["results"]["if"]
    rules = yaml.safe_load(GITLAB.read_text())["results"]["rules"]
    fork = {"if": "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID != $CI_MERGE_REQUEST_PROJECT_ID"}
    assert rules.index(fork | {"when": "never"}) < min(
        number for number, rule in enumerate(rules) if rule.get("when") != "never"
    )


def test_both_systems_run_the_same_checks_with_the_whole_history():
    gitlab = yaml.safe_load(GITLAB.read_text())
    for name, job in jobs().items():
        asked = [step["run"] for step in job["steps"] if "run" in step]
        first_words = [" ".join(line.split()[:2]) for line in gitlab[name]["script"]]
        assert [" ".join(line.split()[:2]) for line in asked] == first_words
    checkout = jobs()["results"]["steps"][0]
    assert checkout["with"]["fetch-depth"] == 0
    assert gitlab["variables"]["GIT_DEPTH"] == "0"


def test_each_check_is_known_and_documented():
    usage = subprocess.run([ROOT / ".ci/check"], capture_output=True, text=True, check=False)
    assert usage.returncode == 2
    known = set(usage.stderr.split()[2].split("|"))
    for text in (GITHUB.read_text(), GITLAB.read_text()):
        assert set(re.findall(r"\.ci/check (\w+)", text)) == known
    document = (ROOT / "docs/remote.md").read_text()
    assert set(re.findall(r"\.ci/check (\w+)", document)) == known - {"credentials"}


def secrets(text):
    """The options of a DVC configuration that hold a secret."""
    parser = configparser.RawConfigParser()
    parser.read_string(re.sub(r"^[ \t]+", "", text, flags=re.M))
    return [
        name
        for section in parser.sections()
        for name, value in parser[section].items()
        if SECRET.search(name) or re.search(r"//[^/]*:[^/]*@", value)
    ]


def test_the_tracked_configuration_holds_no_secret():
    assert secrets((ROOT / ".dvc/config").read_text()) == []
    assert secrets("['remote \"store\"']\n    url = s3://b\n    secret_access_key = x\n")
    assert secrets("['remote \"store\"']\n    url = ssh://me:password@host/path\n")
    assert not secrets("['remote \"store\"']\n    url = ssh://me@host:22/path\n")
    tracked = subprocess.run(
        ["git", "check-ignore", "-q", ".dvc/config.local"], cwd=ROOT, check=False
    )
    assert tracked.returncode in {0, 128}  # ignored; 128: not a clone


def test_missing_programs_do_not_stop_ci():
    done = subprocess.run(
        ["/bin/bash", ROOT / ".ci/packages"],
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "going on without" in done.stderr
    assert "chromium" in done.stderr
