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
        ("eval_top1", ("metric", "validation", "top1")),
        ("eval/loss", ("loss", "validation", "loss")),
        ("dev_loss", ("loss", "validation", "loss")),
        ("trainLoss", ("loss", "train", "loss")),
        ("valLoss", ("loss", "validation", "loss")),
        ("valloss", ("loss", "validation", "loss")),
        ("Loss_validation", ("loss", "validation", "loss")),
        ("Loss (training)", ("loss", "train", "loss")),
        ("Val Acc (%)", ("metric", "validation", "Acc (%)")),
        ("valid_acc", ("metric", "validation", "acc")),
        ("val/mIoU", ("metric", "validation", "mIoU")),
        ("epoch/val_loss", ("loss", "validation", "loss")),
        ("validation_0-logloss", ("loss", "validation", "logloss")),
        ("learn_Logloss", ("loss", "train", "Logloss")),
        ("val_mean_absolute_error", ("loss", "validation", "mean_absolute_error")),
        ("val_error_rate", ("loss", "validation", "error_rate")),
        ("val_mean_io_u", ("metric", "validation", "mean_io_u")),
        ("val_accs", ("metric", "validation", "accs")),
        ("loss_va", ("loss", "validation", "loss")),
        ("lossVal", ("loss", "validation", "loss")),
        ("IoU (val)", ("metric", "validation", "IoU")),
        ("val_neg_log_loss", ("metric", "validation", "neg_log_loss")),
        ("l2_reg", ("other", "", "l2_reg")),
        ("learningRate", ("rate", "", "learningRate")),
        ("Epoch time (s)", ("seconds", "", "Epoch time (s)")),
        ("data_time", ("other", "", "data_time")),
        ("best_val_loss", ("other", "", "best_val_loss")),
        ("grad_norm", ("other", "", "grad_norm")),
        ("loss_scale", ("other", "", "loss_scale")),
    ],
)
def test_names(name, expected):
    column = columns.parsed_name(name)
    assert (column.role, column.part, column.quantity) == expected


def test_values_per_step_beside_epochs_are_not_analysed():
    found = columns.known(["train_loss_step", "train_loss_epoch", "val_acc_step"])
    assert [column.role for column in found] == ["other", "loss", "metric"]


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        # fastai; Ultralytics; Keras; XGBoost with two sets and one; Detectron2
        ("train_loss valid_loss accuracy error_rate", "train validation validation validation"),
        ("train/box_loss metrics/recall", "train validation"),
        ("loss acc val_acc", "train train validation"),
        ("validation_0-rmse validation_1-rmse", "train validation"),
        ("validation_0-rmse", "validation"),
        ("total_loss bbox/AP validation_loss", "train validation validation"),
        ("train_acc acc", "train validation"),
    ],
)
def test_other_columns_tell_the_part_of_a_bare_name(names, parts):
    found = columns.known(names.split())
    assert [column.part for column in found] == parts.split()


def test_a_time_beside_the_time_for_data_is_that_of_an_iteration():
    # https://mmdetection.readthedocs.io: "time" and "data_time" of its logs are per iteration
    assert [one.role for one in columns.known(["data_time", "time"])] == ["other", "other"]


def test_a_total_loss_is_the_loss():
    assert [one.quantity for one in columns.known(["train_losses", "val_losses"])] == ["loss"] * 2
    total, validation = columns.known(["total_loss", "validation_loss"])
    assert total.quantity == validation.quantity == "loss"
    total, loss = columns.known(["total_loss", "loss"])
    assert (total.quantity, loss.quantity) == ("total_loss", "loss")


def test_losses_fall_and_scores_rise():
    assert columns.parsed_name("val_loss").lower_is_better
    assert not columns.parsed_name("val_auc").lower_is_better
    assert columns.same("val/loss", "val_loss")
    assert not columns.same("val_loss", "loss")
