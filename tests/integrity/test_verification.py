"""What is told of a file, from what was seen of it."""

import hashlib
import json

import pytest

from trackbed.integrity import dvc_lock, verification
from trackbed.integrity.dvc_lock import MISSING, FileState, Output
from trackbed.integrity.verification import Checked, Copies, File, Kind

CONTENT = b"as recorded"
MD5 = hashlib.md5(CONTENT).hexdigest()
RIGHT = FileState(MD5, len(CONTENT))
FLIPPED = FileState("0" * 32, len(CONTENT))
CUT = FileState("1" * 32, 3)
MADE = Output("models/model", MD5, len(CONTENT), "train", made=True, cached=True)
ADDED = Output("data/raw", MD5, len(CONTENT), "data/raw.dvc", made=False, cached=True)
IN_GIT = Output("metrics/a.json", MD5, len(CONTENT), "train", made=True, cached=False)


def told(output=MADE, *, twin=None, here=True, elsewhere=False, in_git=False, size=11, **seen):
    file = File(output.path, MD5, size, output)
    return verification.findings([Checked(file, Copies(**seen), twin, here, elsewhere, in_git)])


def test_what_is_as_recorded_is_not_told_of():
    assert told(workspace=RIGHT, cache=RIGHT, remote=RIGHT) == []
    assert told(IN_GIT, workspace=RIGHT) == []


@pytest.mark.parametrize(
    ("seen", "size", "words"),
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
def test_what_is_wrong_in_words(seen, size, words):
    assert verification.defect(seen, size) == words


def test_the_size_of_a_file_in_a_folder_is_that_of_a_right_copy():
    (finding,) = told(workspace=RIGHT, cache=CUT, size=None)
    assert finding.what == "cut: 3 of 11 bytes"


@pytest.mark.parametrize("place", ["workspace", "cache", "remote"])
def test_each_place_is_told_of_and_repaired_from_the_others(place):
    seen = dict.fromkeys(("workspace", "cache", "remote"), RIGHT) | {place: FLIPPED}
    (finding,) = told(**seen)
    assert (finding.kind, finding.where, finding.what) == (Kind.WRONG, place, "altered")
    assert "trackbed verify --repair" in finding.remedy


def test_a_change_of_the_workspace_may_be_meant():
    (finding,) = told(workspace=FLIPPED, cache=RIGHT)
    assert "If the change is meant, `dvc repro train`" in finding.remedy
    (finding,) = told(ADDED, workspace=FLIPPED, cache=RIGHT)
    assert "If the change is meant, `dvc add data/raw`" in finding.remedy


def test_what_no_place_holds_has_to_be_made_again():
    findings = told(workspace=FLIPPED, cache=CUT, remote=MISSING)
    assert [finding.where for finding in findings] == ["workspace", "cache", "remote"]
    for finding in findings:
        assert finding.remedy.endswith("`trackbed verify --repair`, then `dvc repro -f train`.")
    (finding, _) = told(ADDED, workspace=FLIPPED, cache=CUT)
    assert "bring it back from where it came and `dvc add data/raw`" in finding.remedy


def test_an_output_that_was_not_pulled_is_no_failure():
    seen = {"workspace": MISSING, "cache": MISSING}
    (finding,) = told(here=False, **seen, remote=RIGHT)
    assert (finding.kind, finding.what) == (Kind.AWAY, "not here")
    assert "`dvc pull models/model`" in finding.remedy
    (finding,) = told(here=False, workspace=MISSING, cache=RIGHT)
    assert finding.kind is Kind.AWAY
    assert "`dvc checkout models/model`" in finding.remedy


def test_whether_an_unasked_storage_holds_the_only_copy_is_not_known():
    (finding,) = told(here=False, workspace=MISSING, cache=MISSING, elsewhere=True)
    assert finding.kind is Kind.UNKNOWN


def test_what_is_nowhere_is_a_failure():
    (finding,) = told(here=False, workspace=MISSING, cache=MISSING)
    assert (finding.kind, finding.what) == (Kind.WRONG, "missing")
    findings = told(here=False, workspace=MISSING, cache=MISSING, remote=CUT)
    assert {finding.kind for finding in findings} == {Kind.WRONG}


def test_a_file_that_went_from_a_folder_is_missing():
    (finding,) = told(here=True, workspace=MISSING, cache=RIGHT)
    assert (finding.kind, finding.where, finding.what) == (Kind.WRONG, "workspace", "missing")


def test_what_is_kept_in_git_alone_is_missing_and_what_a_stage_makes_is_not_here():
    (finding,) = told(IN_GIT, here=False, in_git=True, workspace=MISSING)
    assert (finding.kind, finding.what) == (Kind.WRONG, "missing")
    assert "git checkout -- metrics/a.json" in finding.remedy
    (finding,) = told(IN_GIT, here=False, in_git=False, workspace=MISSING)
    assert finding.kind is Kind.AWAY
    assert "`dvc repro train` makes it" in finding.remedy


def test_a_file_of_the_same_bytes_serves_for_another():
    (_, finding) = told(workspace=FLIPPED, cache=FLIPPED, twin="data/other")
    assert (finding.where, finding.remedy) == ("cache", "`trackbed verify --repair`.")


def test_an_object_that_two_files_share_is_told_of_once():
    files = [File(path, MD5, 11, ADDED) for path in ("data/raw/a", "data/raw/b")]
    copies = Copies(workspace=RIGHT, cache=CUT)
    checked = [Checked(file, copies, None, True, False) for file in files]
    assert len(verification.findings(checked)) == 1


def test_a_list_is_written_as_dvc_writes_it():
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    hashes = {"b/ä.jpg": "0" * 32, "b.jpg": "1" * 32, "a": MD5, 'quote".png': "2" * 32}
    tree = Tree()
    for name, md5 in hashes.items():
        tree.add(tuple(name.split("/")), None, HashInfo("md5", md5))
    tree.digest()
    content = dvc_lock.folder_listing(hashes)
    assert content == tree.as_bytes()
    assert dvc_lock.hash_bytes(content).md5 + ".dir" == tree.oid
    assert dvc_lock.parse_listing(content) == hashes


def test_files_are_hashed_once_per_inode_and_what_is_not_there_is_missing(tmp_path):
    first, second, none = (tmp_path / name for name in ("first", "second", "none"))
    first.write_bytes(b"x" * (3 << 20))
    second.hardlink_to(first)
    read = []
    seen = dvc_lock.Hasher(read.append).files([str(path) for path in (first, second, none)])
    expected = FileState(hashlib.md5(b"x" * (3 << 20)).hexdigest(), 3 << 20)
    assert seen == {str(first): expected, str(second): expected, str(none): MISSING}
    assert sum(read) == 3 << 20
    assert dvc_lock.Hasher().files([str(tmp_path)])[str(tmp_path)].error == "Is a directory"


def test_a_record_of_nothing_holds_no_file():
    assert dvc_lock.folder_listing({}) == b"[]"
    assert json.loads(dvc_lock.folder_listing({"a": MD5})) == [{"md5": MD5, "relpath": "a"}]
    assert not Output("a", None, None, "train", made=True, cached=True).is_folder
