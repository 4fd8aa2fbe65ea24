"""`trackbed verify` in a small DVC project; single kinds of damage are in tests/integrity."""

from damage import DamagedProject, assert_whole, flip, store


def test_an_undamaged_project_is_all_as_recorded(damaged_project):
    output = damaged_project.verify("--remote")
    # Three pictures twice, two lists, the model; the score lies in git alone.
    assert "checked: 4 outputs; files: cache 9, remote 9, workspace 8" in output
    assert "all as recorded" in output


def test_an_unknown_state_has_its_reason(damaged_project):
    assert "trackbed: remote storage nowhere: " in damaged_project.verify(
        "--remote", "nowhere", code=2
    )
    store(damaged_project).rename(store(damaged_project).with_name("unmounted"))
    output = damaged_project.verify("--remote", code=2)
    assert "Is it mounted" in output
    damaged_project.run("dvc", "remote", "default", "--unset")
    assert "none is the default" in damaged_project.verify("--remote", code=2)
    (damaged_project.folder / "dvc.lock").unlink()
    output = damaged_project.verify(code=2)
    assert "no record of copies, model.bin, score.json: `dvc repro` was not run" in output
    (damaged_project.folder / "data/raw.dvc").unlink()
    assert "trackbed: dvc.lock: nothing is recorded" in damaged_project.verify(code=2)
    (damaged_project.folder / "dvc.yaml").write_text("stages: [")
    assert damaged_project.verify(code=2).startswith("trackbed: ")


def test_paths_are_relative_to_the_current_folder(damaged_project):
    flip(damaged_project.folder / "model.bin")
    deeper = DamagedProject(damaged_project.folder / "data", damaged_project.capsys)
    assert "../model.bin: workspace: altered." in deeper.verify(code=1)
    deeper.verify("--repair")
    assert_whole(damaged_project)
    assert (damaged_project.folder / ".cache/verify/model.bin").exists()
