"""What a name tells of its column."""

import pytest

from trackbed.curves import columns


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("val_categorical_accuracy", ("metric", "validation", "categorical_accuracy")),
        ("loss", ("loss", "train", "loss")),
        ("train/box_loss", ("loss", "train", "box_loss")),
        ("metrics/mAP50-95(B)", ("metric", "validation", "mAP50-95(B)")),
        ("metrics/mAP_0.5:0.95", ("metric", "validation", "mAP_0.5:0.95")),
        ("train_loss_epoch", ("loss", "train", "loss")),
        ("loss/val", ("loss", "validation", "loss")),
        ("validation-mse", ("loss", "validation", "mse")),
        ("test_f1", ("metric", "test", "f1")),
        ("val/f1_STONE", ("metric", "validation", "f1_STONE")),
        ("lr", ("rate", "", "lr")),
        ("lr-Adam/pg1", ("rate", "", "lr-Adam/pg1")),
        ("x/lr0", ("rate", "", "x/lr0")),
        ("learning_rate", ("rate", "", "learning_rate")),
        ("seconds", ("seconds", "", "seconds")),
        ("colour", ("other", "", "colour")),
        ("glossy", ("other", "", "glossy")),  # holds the letters of "loss"
        ("val", ("other", "", "val")),
    ],
)
def test_names(name, expected):
    column = columns.parsed_name(name)
    assert (column.role, column.part, column.quantity) == expected


def test_values_per_step_beside_epochs_are_not_analysed():
    found = columns.known(["train_loss_step", "train_loss_epoch", "val_acc_step"])
    assert [column.role for column in found] == ["other", "loss", "metric"]


def test_losses_fall_and_scores_rise():
    assert columns.parsed_name("val_loss").lower_is_better
    assert not columns.parsed_name("val_auc").lower_is_better
    assert columns.same("val/loss", "val_loss")
    assert not columns.same("val_loss", "loss")
