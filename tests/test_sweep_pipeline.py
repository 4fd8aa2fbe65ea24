"""`trackbed sweep` and `trackbed best` with the real stages."""

import pandas as pd
import pytest
import sweeping
from project import ROOT

from trackbed.pipeline import tables


@pytest.mark.slow
def test_cross_validation_leaves_the_workspace_alone(finished):
    before = finished.environment.get("PYTHONPATH")
    finished.environment["PYTHONPATH"] = str(ROOT / "stages")
    try:
        done = sweeping.trackbed(
            finished, "sweep", "-S", "train.learning_rate=1e-05", "--folds", "all"
        )
        best = sweeping.trackbed(finished, "best")
    finally:
        finished.environment.pop("PYTHONPATH")
        if before is not None:
            finished.environment["PYTHONPATH"] = before
    assert done.returncode == 0, done.stdout + done.stderr
    assert finished.run("git", "status", "--porcelain") == ""
    runs = pd.read_csv(finished.folder / "sweeps/sweep/runs.csv")
    assert runs["fold"].tolist() == [0, 1]
    # The scores are those that the stage wrote into the experiment's commit.
    for row in runs.itertuples():
        text = finished.run("git", "show", f"{row.commit}:metrics/train/metrics.json")
        metrics = tables.parsed_metrics(text.encode())
        assert row.val_macro_f1 == metrics["val_f1"]
        assert row.val_macro_f1 == metrics["best"]["val_macro_f1"]
        log = finished.folder / f"sweeps/sweep/logs/{row.name}.log"
        assert "Running stage 'train'" in log.read_text()
        assert "Running stage 'split'" not in log.read_text()
    assert "1 setting, ranked by val_macro_f1" in best.stdout or best.returncode == 0
    finished.run("dvc", "exp", "remove", *runs["name"])
