"""`trackbed compare` on real revisions of a finished project."""

import pandas as pd
import sweeping

PREDICTIONS = "data/evaluation/predictions.csv"


def test_a_comparison_lists_what_broke_with_pictures(worse, tmp_path):
    page = tmp_path / "comparison.html"
    done = sweeping.called(worse, "compare", "HEAD", "--html", str(page))
    assert (done.returncode, done.stderr) == (0, "")
    table = pd.read_csv(worse.folder / PREDICTIONS)
    assert "HEAD is better than workspace" in done.stdout
    text = page.read_text()
    newly_wrong = int(text.split("Newly wrong: ")[1].split()[0])
    assert 0 < newly_wrong <= len(table)
    assert text.count("data:image/jpeg") == newly_wrong
    assert "0 images that only" in text  # none is fixed
