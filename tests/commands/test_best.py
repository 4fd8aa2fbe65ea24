"""`trackbed best` among experiments that DVC made in every way."""

import csv
import io
import re
import shutil
import time

import pytest
import sweeping


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Three experiments, one that failed in the queue, one that waits there."""
    project = sweeping.create(tmp_path_factory.mktemp("best"))
    project.run("dvc", "repro", "-q")
    project.commit("results, better than those of any experiment")
    run = ("dvc", "exp", "run", "--temp", "-n")
    project.run(*run, "poor", "-S", "train.learning_rate=1e-5")
    project.run(*run, "good", "-S", "train.dropout=0.1")
    project.run(*run, "same", "-S", "train.dropout=0.12")
    project.run("dvc", "exp", "run", "--queue", "-n", "failing", "-S", "train.network=gtsrb")
    project.run("dvc", "exp", "run", "--run-all")
    project.run("dvc", "queue", "stop")
    while "0 active, 0 idle" not in project.run("dvc", "queue", "status"):
        time.sleep(0.5)
    project.run("dvc", "exp", "run", "--queue", "-n", "waiting", "-S", "train.dropout=0.05")
    return project


def output_of(project, *arguments):
    done = sweeping.called(project, "best", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def names(text):
    return re.findall(r"^ +\d+ .*?(\S+)$", text, flags=re.MULTILINE)


def test_failed_and_queued_runs_are_not_ranked(project):
    text = output_of(project)
    assert text.startswith("3 settings, ranked by val_macro_f1")
    assert names(text) == ["good", "same", "poor"]
    # DVC shows it with the scores of HEAD, which are the best of all.
    table = csv.DictReader(io.StringIO(project.run("dvc", "exp", "show", "--csv")))
    rows = {row["Experiment"]: row for row in table}
    assert float(rows["failing"]["best.val_macro_f1"]) > float(rows["good"]["best.val_macro_f1"])
    assert "The commit itself: val_macro_f1 0.9000 on fold 0." in text


def test_the_best_two_are_compared_on_the_test_images(project):
    text = output_of(project)
    assert "Best: good. The runner-up is same. On 200 test images of 100 groups, paired:" in text
    assert "same and good are not distinguishable" in text
    clear = output_of(project, "--metric", "test_accuracy", "--top", "1")
    assert names(clear) == ["good"]


def test_a_test_score_has_a_warning_and_its_interval(project):
    text = output_of(project, "--metric", "macro_f1")
    assert "a score of the test part. Chosen by it, a setting has no unbiased test score" in text
    assert re.search(r"1 +0\.8400 0\.7900 0\.8900 ", text)
    low = output_of(project, "--metric", "val_loss")
    assert "test part." not in low.splitlines()[0]
    assert names(low) == ["good", "same", "poor"]


def test_an_unknown_metric_is_refused(project):
    done = sweeping.called(project, "best", "--metric", "f2")
    assert done.returncode == 2
    assert "--metric f2: no experiment has it. Known: " in done.stderr
    assert "best.val_macro_f1" in done.stderr


def test_an_undefined_score_is_not_called_unknown(project):
    done = sweeping.called(project, "best", "--metric", "refusal_threshold")
    assert done.returncode == 2
    assert (
        "--metric refusal_threshold: undefined in every experiment that has it: no confidence "
        in (done.stderr)
    )
    text = output_of(project, "--metric", "refusal_precision")
    assert names(text) == ["good"]
    assert "Not ranked, because refusal_precision is undefined: poor, same." in text


def test_branch_creates_a_branch_of_the_best(project):
    text = output_of(project, "--branch", "winner")
    assert "good is branch winner." in text
    assert "dropout: 0.1" in project.run("git", "show", "winner:params.yaml")


def test_apply_refuses_to_overwrite_changes(project):
    path = project.folder / "params.yaml"
    before = path.read_text()
    path.write_text(before + "\n")
    done = sweeping.called(project, "best", "--apply")
    assert done.returncode == 2
    assert "--apply: would overwrite changes that are not committed, such as params.yaml" in (
        done.stderr
    )
    path.write_text(before)
    try:
        assert "good is in the workspace" in output_of(project, "--apply")
        assert "dropout: 0.1" in path.read_text()
        assert (project.folder / "data/evaluation/predictions.csv").exists()
    finally:
        project.run("git", "checkout", "-q", ".")


@pytest.mark.slow
def test_apply_of_a_run_that_dvc_gc_removed_is_all_or_nothing(project, tmp_path):
    copy = sweeping.Project(shutil.copytree(project.folder, tmp_path / "copy", symlinks=True))
    copy.environment = project.environment
    shutil.copytree(copy.folder / ".dvc/cache", tmp_path / "store")
    copy.run("dvc", "checkout")
    copy.run("dvc", "gc", "--workspace", "--all-commits", "--force")
    lost = sweeping.called(copy, "compare", "HEAD", "good")
    assert lost.returncode == 2
    assert (
        "of good is not in DVC's cache, and there is no remote storage: it was never" in lost.stderr
    )
    done = sweeping.called(copy, "best", "--apply")
    assert done.returncode == 2
    assert "--apply: good: data/evaluation is not in DVC's cache" in done.stderr
    assert copy.run("git", "status", "--porcelain") == ""
    assert "up to date" in copy.run("dvc", "status")
    copy.run("dvc", "remote", "add", "--local", "-d", "store", tmp_path / "store")
    assert sweeping.called(copy, "best", "--apply").returncode == 0
    assert "dropout: 0.1" in (copy.folder / "params.yaml").read_text()
    assert "up to date" in copy.run("dvc", "status")


def test_cross_validated_settings_are_compared_by_fold(project):
    """Comes last: it adds experiments."""
    done = sweeping.trackbed(
        project, "sweep", "-S", "train.dropout=0.1,0.12", "--folds", "0,1", "--prefix", "cv"
    )
    assert done.returncode == 0, done.stderr
    assert "not run again: cv-dropout=0.1_fold=0 = good" in done.stdout
    text = output_of(project)
    assert "1 setting not ranked: fewer folds than the others" in text
    assert names(text) == ["cv-dropout=0.12_fold=0", "cv-dropout=0.1_fold=0"][::-1]
    assert "the difference is significant" in text
    assert names(output_of(project, "--folds", "0"))[2] == "poor"


def test_a_later_commit_keeps_the_ranking(project):
    """Comes last: it adds commits."""
    before = names(output_of(project))
    base = project.run("git", "rev-parse", "--short=7", "HEAD").strip()
    project.run("dvc", "remote", "add", "-d", "store", "/nowhere")
    project.commit("the remote's address")
    text = output_of(project)
    assert names(text) == before
    assert f" of {base}.\n" in text.splitlines(keepends=True)[0]
    done = sweeping.called(project, "best", "--apply")
    assert done.returncode == 2
    assert f"started from {base}" in done.stderr
    assert "has no finished experiment" in sweeping.called(project, "best", "--rev", "HEAD").stderr
    (project.folder / "stages/train.py").write_text("other code")
    project.commit("code")
    text = output_of(project)
    assert f"Ranked are those of {base}; since then code or data have changed: stages/" in text
    assert names(text) == before


def test_a_commit_without_experiments_is_an_error(tmp_path):
    project = sweeping.create(tmp_path)
    done = sweeping.called(project, "best")
    assert done.returncode == 2
    assert "has no finished experiment. Run `trackbed sweep`" in done.stderr


def test_test_scores_of_another_test_part_are_left_out(tmp_path):
    project = sweeping.create(tmp_path)
    project.run("dvc", "repro", "-q")
    project.commit("results")
    run = ("dvc", "exp", "run", "--temp", "-n")
    project.run(*run, "same", "-S", "train.dropout=0.3")
    project.run(*run, "other", "-S", "train.image_side=16", "-S", "train.dropout=0.1")
    done = sweeping.called(project, "best", "--metric", "macro_f1")
    assert done.stdout.startswith("1 experiment on another test part, such as other: nothing")
    assert names(done.stdout) == ["same"]
    by_validation = sweeping.called(project, "best").stdout
    assert names(by_validation) == ["other", "same"]
    assert re.search(r"1 +0\.8900 .* - +other$", by_validation, flags=re.MULTILINE)
