"""The findings for a file, from the state of its copies."""

import hashlib

import pytest

from trackbed.integrity import verification
from trackbed.integrity.dvc_lock import MISSING, FileState
from trackbed.integrity.dvc_repo import Output
from trackbed.integrity.verification import Checked, Copies, File, Kind

CONTENT = b"as recorded"
MD5 = hashlib.md5(CONTENT).hexdigest()
RIGHT = FileState(MD5, len(CONTENT))
FLIPPED = FileState("0" * 32, len(CONTENT))
CUT = FileState("1" * 32, 3)
MADE = Output("models/model", MD5, len(CONTENT), "train", made=True, cached=True)
ADDED = Output("data/raw", MD5, len(CONTENT), "data/raw.dvc", made=False, cached=True)
IN_GIT = Output("metrics/a.json", MD5, len(CONTENT), "train", made=True, cached=False)


def found(output=MADE, *, twin=None, here=True, elsewhere=False, in_git=False, size=11, **states):
    file = File(output.path, MD5, size, output)
    return verification.findings([Checked(file, Copies(**states), twin, here, elsewhere, in_git)])


def test_a_file_as_recorded_has_no_finding():
    assert found(workspace=RIGHT, cache=RIGHT, remote=RIGHT) == []
    assert found(IN_GIT, workspace=RIGHT) == []


@pytest.mark.parametrize(
    ("state", "size", "text"),
    [
        (CUT, 11, "cut: 3 of 11 bytes"),
        (FileState("1" * 32, 0), 9870, "cut: 0 of 9,870 bytes"),
        (FileState("1" * 32, 0), None, "cut: nothing left of it"),
        (FLIPPED, 11, "altered"),
        (FileState("1" * 32, 12), 11, "altered"),
        (CUT, None, "altered"),
        (MISSING, 11, "missing"),
        (FileState(error="Input/output error"), 11, "unreadable (Input/output error)"),
    ],
)
def test_the_defect_of_a_copy(state, size, text):
    assert verification.defect(state, size) == text


def test_an_unrecorded_size_is_that_of_a_good_copy():
    (finding,) = found(workspace=RIGHT, cache=CUT, size=None)
    assert finding.problem == "cut: 3 of 11 bytes"


@pytest.mark.parametrize("place", ["workspace", "cache", "remote"])
def test_a_damaged_copy_is_repaired_from_other_places(place):
    states = dict.fromkeys(("workspace", "cache", "remote"), RIGHT) | {place: FLIPPED}
    (finding,) = found(**states)
    assert (finding.kind, finding.where, finding.problem) == (Kind.WRONG, place, "altered")
    assert "trackbed verify --repair" in finding.remedy


def test_a_change_of_the_workspace_may_be_meant():
    (finding,) = found(workspace=FLIPPED, cache=RIGHT)
    assert "If the change is meant, `dvc repro train`" in finding.remedy
    (finding,) = found(ADDED, workspace=FLIPPED, cache=RIGHT)
    assert "If the change is meant, `dvc add data/raw`" in finding.remedy


def test_a_file_without_a_good_copy_has_to_be_remade():
    findings = found(workspace=FLIPPED, cache=CUT, remote=MISSING)
    assert [finding.where for finding in findings] == ["workspace", "cache", "remote"]
    for finding in findings:
        assert finding.remedy.endswith("`trackbed verify --repair`, then `dvc repro -f train`.")
    (finding, _) = found(ADDED, workspace=FLIPPED, cache=CUT)
    assert "restore it from its source and `dvc add data/raw`" in finding.remedy


def test_an_output_that_was_not_pulled_is_not_wrong():
    states = {"workspace": MISSING, "cache": MISSING}
    (finding,) = found(here=False, **states, remote=RIGHT)
    assert (finding.kind, finding.problem) == (Kind.AWAY, "not here")
    assert "`dvc pull models/model`" in finding.remedy
    (finding,) = found(here=False, workspace=MISSING, cache=RIGHT)
    assert finding.kind is Kind.AWAY
    assert "`dvc checkout models/model`" in finding.remedy


def test_a_copy_only_in_an_unchecked_remote_is_unknown():
    (finding,) = found(here=False, workspace=MISSING, cache=MISSING, elsewhere=True)
    assert finding.kind is Kind.UNKNOWN


def test_a_file_that_no_place_has_is_wrong():
    (finding,) = found(here=False, workspace=MISSING, cache=MISSING)
    assert (finding.kind, finding.problem) == (Kind.WRONG, "missing")
    findings = found(here=False, workspace=MISSING, cache=MISSING, remote=CUT)
    assert {finding.kind for finding in findings} == {Kind.WRONG}


def test_a_file_deleted_from_a_folder_is_missing():
    (finding,) = found(here=True, workspace=MISSING, cache=RIGHT)
    assert (finding.kind, finding.where, finding.problem) == (Kind.WRONG, "workspace", "missing")
    assert finding.remedy == "`trackbed verify --repair`."  # no change that may be meant


def test_an_uncached_output_is_missing_only_if_git_has_it():
    (finding,) = found(IN_GIT, here=False, in_git=True, workspace=MISSING)
    assert (finding.kind, finding.problem) == (Kind.WRONG, "missing")
    assert "git checkout -- metrics/a.json" in finding.remedy
    (finding,) = found(IN_GIT, here=False, in_git=False, workspace=MISSING)
    assert finding.kind is Kind.AWAY
    assert "`dvc repro train` makes it" in finding.remedy


def test_a_file_with_the_same_bytes_repairs_another():
    (_, finding) = found(workspace=FLIPPED, cache=FLIPPED, twin="data/other")
    assert (finding.where, finding.remedy) == ("cache", "`trackbed verify --repair`.")


def test_an_object_of_two_files_has_one_finding():
    files = [File(path, MD5, 11, ADDED) for path in ("data/raw/a", "data/raw/b")]
    copies = Copies(workspace=RIGHT, cache=CUT)
    checked = [Checked(file, copies, None, True, False) for file in files]
    assert len(verification.findings(checked)) == 1
