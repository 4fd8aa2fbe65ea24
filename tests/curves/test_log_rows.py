"""Tables of several shapes, and those that are no history."""

import histories
import pytest

from trackbed.curves import log_readers
from trackbed.pipeline.errors import UserError

VALUES = {"train_loss": [2.0, 1.0], "val_loss": [2.2, 1.2]}


@pytest.mark.parametrize(
    "text",
    [
        "epoch,phase,loss\n0,train,2.0\n0,val,2.2\n1,train,1.0\n1,val,1.2\n",
        "epoch,metric,value\n0,train_loss,2.0\n0,val_loss,2.2\n1,train_loss,1.0\n1,val_loss,1.2\n",
        "epoch,train_loss,val_loss\n0,2.0,2.2\n1,1.0,1.2\n",
    ],
)
def test_long_and_wide_tables_are_the_same(tmp_path, text):
    history = histories.written(tmp_path / "log.csv", text)
    assert {name: history.table[name].tolist() for name in VALUES} == VALUES


def test_a_column_names_the_run(tmp_path):
    rows = [f"{fold},{epoch},{fold + 1 / epoch}" for epoch in (1, 2) for fold in (0, 1)]
    (tmp_path / "log.csv").write_text("\n".join(["fold,epoch,loss", *rows]))
    runs = log_readers.runs(tmp_path / "log.csv")
    assert [run.facts["run"] for run in runs] == ["fold 0", "fold 1"]
    assert runs[1].table["loss"].tolist() == [2.0, 1.5]


def test_a_chart_of_wandb_holds_runs_and_ranges(tmp_path):
    names = '"Step","a - val_loss","a - val_loss__MIN","a - val_loss__MAX","b - val_loss"'
    (tmp_path / "chart.csv").write_text(f"{names}\n0,2,1,3,4\n1,1,0,2,3\n")
    first, second = log_readers.runs(tmp_path / "chart.csv")
    assert first.table.to_dict("list") == {"val_loss": [2, 1]}
    assert second.table.to_dict("list") == {"val_loss": [4, 3]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Name,State,loss,val_loss,epoch\na,finished,1,2,9\nb,crashed,2,3,9\n", "table of runs"),
        ("Name,loss,val_loss\na,1,2\nb,2,3\n", "table of runs: `Name` differs"),
        ("lr,epochs,loss\n0.1,10,1\n0.2,10,2\n", "table of runs: all rows have epochs 10"),
        ("param_C,mean_test_neg_log_loss\n1,-1\n2,-2\n", "runs, with their parameters"),
        ("number,value,state\n0,0.3,COMPLETE\n", "table of runs"),
        ("Experiment,rev,State,loss\n,ab1,,0.3\nx,cd2,Success,0.2\n", "table of runs"),
        ("image,true,predicted,loss\na.png,A,B,0.3\n", "predictions"),
        ("filename,p_A,loss\na.png,0.3,1\nb.png,0.2,1\n", "`filename` differs in every row"),
        ("class,loss\nA,1\nB,2\n", "one row per class"),
        ("0,1.5\n1,1.2\n", "no column 'epoch'"),
        ("a,b\n1,2\n", "no column 'epoch'"),
        ("epoch,a\n1,2\n", "name them with --columns"),
    ],
)
def test_other_tables_are_refused_in_words(tmp_path, text, words):
    with pytest.raises(UserError, match=words):
        histories.written(tmp_path / "table.csv", text)
