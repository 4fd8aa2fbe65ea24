"""What is found in a small DVC project whose files are damaged or missing."""

from damage import PICTURES, DamagedProject, flip, name, store


def test_an_unlisted_file_is_reported_and_kept(damaged_project):
    new = damaged_project.folder / "data/raw/a/new.jpg"
    new.write_bytes(b"new")
    (damaged_project.folder / "copies/\x1b[2Jx").write_bytes(b"new")
    output = damaged_project.verify("--repair", code=1)
    assert "data/raw/a/new.jpg: workspace: not listed. If it belongs there, `dvc add data" in output
    assert "\x1b" not in output
    assert new.exists()


def test_an_output_in_git_is_checked_in_the_workspace(damaged_project):
    (damaged_project.folder / "score.json").write_text('{"f1": 1}\n')
    output = damaged_project.verify("--repair", code=1)
    assert "score.json: workspace: altered. `git checkout -- score.json` if git has it" in output
    (damaged_project.folder / "score.json").unlink()
    assert "score.json: workspace: missing. `git checkout" in damaged_project.verify(code=1)


def test_a_clone_that_pulled_little_is_not_damaged(damaged_project, tmp_path):
    damaged_project.commit("the storage of this copy")
    damaged_project.run("git", "clone", "-q", damaged_project.folder, tmp_path / "clone")
    clone = DamagedProject(tmp_path / "clone", damaged_project.capsys)
    output = clone.verify(code=2)
    assert "copies: neither here nor in the cache. `dvc pull copies`" in output
    output = clone.verify("--remote")
    assert "data/raw: 4 files not here. `dvc pull data/raw` if it is needed." in output
    clone.run("dvc", "pull", "-q", "model.bin")
    flip(clone.folder / "model.bin")
    assert "1 repaired" in clone.verify("--remote", "--repair")
    assert not (clone.folder / "copies").exists()
    (store(damaged_project) / name(PICTURES["b/1.jpg"])).unlink()
    output = clone.verify("--remote", code=1)
    assert "copies/b/1.jpg: workspace: missing. No place has it: `dvc repro -f copy`." in output
