"""Folders that training programs write, and the parameters beside a log."""

import pytest

from trackbed.curves import log_folders


@pytest.mark.parametrize(
    ("values", "facts"),
    [
        ({"epochs": 5, "patience": 100}, {"planned_epochs": 5, "patience": 100}),
        ({"train": {"max_epochs": 30.0}}, {"planned_epochs": 30}),
        ({"early_stopping": {"patience": 7, "monitor": "val_loss"}}, None),
        ({"reduce_lr": {"patience": 3}, "lr_patience": 2}, {}),  # of the learning rate
        ({"head": {"epochs": 2}, "all": {"epochs": 9}}, {}),  # of two phases
        ({"epochs": "many", "patience": True}, {}),
        ([1, 2], {}),
    ],
)
def test_parameters_tell_the_plan_of_a_run(values, facts):
    if facts is None:
        facts = {"patience": 7, "monitor": "val_loss"}
    assert log_folders.planned(values) == facts


def test_params_of_a_dvclive_folder_reach_its_history(tmp_path):
    curves = tmp_path / "plots" / "metrics" / "val"
    curves.mkdir(parents=True)
    (curves / "loss.tsv").write_text("step\tloss\n0\t1.0\n1\t0.5\n2\t0.6\n")
    (tmp_path / "params.yaml").write_text("epochs: 5\npatience: 100\n")
    facts = log_folders.dvclive(tmp_path).facts
    assert (facts["planned_epochs"], facts["patience"]) == (5, 100)
