"""A reader states what it took for what."""

import histories


def test_the_first_note_states_every_role(tmp_path):
    text = "epoch,step,lr,trainLoss,valLoss,valAcc,test_loss\n0,9,0.1,2,3,0.5,\n1,19,0.1,1,2,0.6,\n"
    history = histories.written(tmp_path / "log.csv", text)
    assert history.notes[0] == (
        "Read as: epoch `epoch`; step `step`; training loss `trainLoss` (lower is better); "
        "validation loss `valLoss` (lower is better); validation score `valAcc` (higher is "
        "better); learning rate `lr`; without a number in any epoch `test_loss`. `--columns` "
        "corrects it."
    )


def test_a_test_part_of_every_epoch_serves_as_validation(tmp_path):
    history = histories.written(tmp_path / "log.csv", "epoch,train_loss,test_loss\n1,2,3\n2,1,2\n")
    assert [one.name for one in history.of("loss", "validation")] == ["test_loss"]
    assert any("taken for validation" in note for note in history.notes)
    text = "epoch,loss,val_loss,test_loss\n1,2,3,4\n2,1,2,4\n"
    both = histories.written(tmp_path / "log.csv", text)
    assert [one.name for one in both.of("loss", "test")] == ["test_loss"]


def test_times_since_the_start_and_of_the_clock(tmp_path):
    text = "epoch,loss,_runtime\n1,3,10\n2,2,22\n3,1,36\n"
    assert histories.written(tmp_path / "a.csv", text).seconds.tolist() == [10, 12, 14]
    text = "epoch,loss,timestamp\n1,3,1700000000\n2,2,1700000012\n"
    assert histories.written(tmp_path / "b.csv", text).seconds.tolist()[1:] == [12]
    text = "epoch,loss,time\n1,3,00:12\n2,2,00:11\n3,1,00:13\n"
    assert histories.written(tmp_path / "c.csv", text).seconds.tolist() == [12, 11, 13]


def test_times_that_hardly_grow_are_those_of_single_epochs(tmp_path):
    text = "epoch,loss,time\n1,3,04:35\n2,2,04:36\n3,1,04:37\n"  # fastai
    history = histories.written(tmp_path / "log.csv", text)
    assert history.seconds.tolist() == [275, 276, 277]


def test_training_by_steps_beside_validation_by_epochs(tmp_path):
    rows = [f"{step},,{9 - step}" for step in range(4)]
    rows += [f"{step},{step}," for step in range(0, 400, 10)]
    history = histories.written(tmp_path / "log.csv", "\n".join(["step,loss,val_loss", *rows]))
    assert history.table["val_loss"].tolist() == [9, 8, 7, 6]
    assert history.table["loss"].tolist() == [45, 145, 245, 345]


def test_many_steps_without_epochs_are_joined(tmp_path):
    rows = [f"{step},{step}" for step in range(4000)]
    history = histories.written(tmp_path / "log.csv", "\n".join(["step,loss", *rows]))
    assert history.table["loss"].tolist() == [4 * place + 1.5 for place in range(1000)]
    assert "what is called epoch here is 4 steps" in " ".join(history.notes)
