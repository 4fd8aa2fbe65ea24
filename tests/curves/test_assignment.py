"""What `--columns` says about a log."""

import histories
import pytest

from trackbed import cli
from trackbed.curves import assignment, log_readers
from trackbed.pipeline.errors import UserError

LOG = "ep,a,b,c\n0,2.0,2.1,0.3\n1,1.0,1.5,0.6\n"
GIVEN = "epoch=ep,train_loss=a,val_loss=b,val_accuracy=c"


def test_columns_of_any_name_are_assigned(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    history = log_readers.read(tmp_path / "log.csv", assignment.parsed(GIVEN))
    assert history.table.index.tolist() == [1, 2]
    known = {column.name: (column.role, column.part) for column in history.columns}
    assert known == {
        "a": ("loss", "train"),
        "b": ("loss", "validation"),
        "c": ("metric", "validation"),
    }


def test_an_assigned_column_replaces_the_guess(tmp_path):
    (tmp_path / "log.csv").write_text("epoch,loss,val_loss,other\n1,3,9,2\n2,2,9,1\n")
    history = log_readers.read(tmp_path / "log.csv", assignment.parsed('val_loss="other"'))
    assert [one.name for one in history.of("loss", "validation")] == ["other"]
    ignored = log_readers.read(tmp_path / "log.csv", assignment.parsed("ignore=val_loss"))
    assert "val_loss" not in ignored.table


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("val_loss", "expected ROLE=COLUMN"),
        ("colour=a", "unknown role 'colour'. Roles are epoch"),
        ("accuracy=a", "unknown role 'accuracy'"),  # of which part?
        ("val_loss=a,val_loss=b", "role 'val_loss' is given twice"),
        ("val_loss=a,train_loss=a", "column 'a' is given twice"),
    ],
)
def test_wrong_roles_are_refused_in_words(text, words):
    with pytest.raises(UserError, match=words):
        assignment.parsed(text)


def test_a_column_that_is_not_there_is_refused_with_a_hint(tmp_path, capsys):
    (tmp_path / "log.csv").write_text("epoch,losses_a\n1,2\n")
    code = cli.main(["curves", str(tmp_path / "log.csv"), "--columns", "val_loss=loses_a"])
    assert code == 2
    assert "no column 'loses_a'. Did you mean 'losses_a'?" in capsys.readouterr().err


def test_names_may_hold_commas_in_quotes(tmp_path):
    history = histories.written(tmp_path / "log.csv", 'epoch,"a, b",loss\n1,2,3\n')
    assert "a, b" in history.table
    (pair,) = assignment.parsed('val_loss="a, b"')
    assert pair == ("val_loss", "a, b")
