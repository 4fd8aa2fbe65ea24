"""The licence, and the files that tell people how to cite the project and report a problem."""

import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def citation_check(path):
    command = ["check_jsonschema", "--builtin-schema", "vendor.citation-file-format", path]
    return subprocess.run([sys.executable, "-m", *command], capture_output=True, check=False)


def test_the_citation_file_fits_its_schema(tmp_path):
    assert citation_check(ROOT / "CITATION.cff").returncode == 0
    wrong = tmp_path / "CITATION.cff"
    wrong.write_text(yaml.safe_dump({**CITATION, "authors": []}))
    assert citation_check(wrong).returncode == 1


def test_citation_and_package_agree():
    assert CITATION["version"] == PROJECT["version"]
    assert CITATION["license"] == PROJECT["license"].split()[0] == "Apache-2.0"
    assert CITATION["authors"] == PROJECT["authors"]


def test_the_licence_is_whole_and_part_of_the_package():
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert text.split()[:5] == ["Apache", "License", "Version", "2.0,", "January"]
    assert [f"\n   {number}. " in text for number in range(1, 10)] == [True] * 9
    assert "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["license-files"][0] == "LICENSE"


def test_the_package_names_the_licence_of_each_library_that_it_contains():
    named = {path for pattern in PROJECT["license-files"] for path in ROOT.glob(pattern)}
    folders = [path for path in (ROOT / "stages").rglob("vendor") if path.is_dir()]
    assert folders
    for folder in folders:
        licences = [path for path in folder.iterdir() if path.suffix == ".LICENSE"]
        libraries = {path.name.split(".")[0] for path in folder.iterdir()}
        assert {path.stem for path in licences} == libraries
        assert named.issuperset(licences)
        assert all("MIT License" in path.read_text("utf-8") for path in licences)
    assert PROJECT["license"].split()[1:] == ["AND", "MIT"]
