"""`trackbed curves` on small logs."""

import json

from trackbed import cli

ROWS = [f"{epoch},{2 / epoch},{2.2 / epoch}" for epoch in range(1, 13)]
LOG = "\n".join(["epoch,loss,val_loss", *ROWS]) + "\n"


def test_a_log_is_analysed_and_the_page_written(tmp_path, capsys):
    (tmp_path / "log.csv").write_text(LOG)
    out = tmp_path / "out"
    assert cli.main(["curves", str(tmp_path / "log.csv"), "--out", str(out)]) == 0
    assert "best epoch 12 of 12" in capsys.readouterr().out
    assert {path.suffix for path in out.iterdir()} == {".html", ".json", ".md"}
    for ending in ("html", "md"):  # what was taken for what
        assert "validation loss" in next(out.glob(f"*.{ending}")).read_text()
    (values,) = [json.loads(path.read_text()) for path in out.glob("*.json")]
    assert values


def test_a_file_that_is_no_log_is_one_line_and_exit_code_2(tmp_path, capsys):
    (tmp_path / "notes.csv").write_text("a,b\nx,y\n")
    assert cli.main(["curves", str(tmp_path / "notes.csv")]) == 2
    message = capsys.readouterr().err
    assert "notes.csv" in message
    assert "Traceback" not in message
