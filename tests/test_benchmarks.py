"""What the benchmarks make of their measurements; one of them runs for real."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "benchmarks"))

from speed import rounds, table, trend  # noqa: E402
from speed.bench import Bench, Contestant  # noqa: E402
from speed.processes import PEAK  # noqa: E402


def nothing(task):
    return {}


def outcome(**runs):
    """Three rounds of a bench, in images/s and MB; a text instead says why there are none."""
    bench = Bench(
        title="Build",
        measures="All of it.",
        contestants={name: Contestant(nothing) for name in runs},
        rates=("images/s",),
    )
    failures = {name: why for name, why in runs.items() if isinstance(why, str)}
    measured = {
        name: [{PEAK: 700.0, "images/s": float(rate)} for rate in rates]
        for name, rates in runs.items()
        if name not in failures
    }
    empty = {name: [] for name in failures}
    return rounds.Outcome(bench, {"images": 1200.0, PEAK: 50.0}, measured | empty, failures)


def test_the_table_by_hand():
    # Rounds side by side: 200/100, 100/200, 900/300, of which the median is 2; the medians
    # themselves, 200 and 200, would say 1.
    came_to = outcome(plain=[100, 200, 300], ours=[200, 100, 900])
    assert table.section(came_to).splitlines() == [
        "## Build",
        "",
        "All of it.",
        "Input: 1,200 images.",
        "",
        "| contestant | images/s | ratio | peak MB |",
        "| --- | --: | --: | --: |",
        "| plain | 200 (100 to 300) | 1.00 | 700 |",
        "| ours | 200 (100 to 900) | 2.00 | 700 |",
    ]


def test_less_time_is_faster():
    ours, plain = [{"s": 2.0}, {"s": 4.0}], [{"s": 8.0}, {"s": 8.0}]
    assert table.ratio(ours, plain, "s", faster_is_more=False) == 3  # 4 and 2


def test_a_failure_has_a_row_and_leaves_the_others_alone():
    lines = table.rows(outcome(plain=[100], broken="no such package", ours=[150]))
    assert lines[3] == "| broken | failed: no such package |"
    assert lines[4] == "| ours | 150 | 1.50 | 700 |"


def test_without_a_baseline_there_is_no_ratio():
    lines = table.rows(outcome(plain="no such package", ours=[150]))
    assert lines[3] == "| ours | 150 |  | 700 |"


@pytest.mark.parametrize(
    ("quantity", "power"), [(lambda n: 3 * n, 1), (lambda n: 7.0, 0), (lambda n: n**2, 2)]
)
def test_how_a_quantity_grows(quantity, power):
    points = [(n, quantity(n)) for n in (500, 1000, 2000)]
    assert trend.exponent(points) == pytest.approx(power, abs=1e-9)


def test_a_line_has_a_start_and_a_slope():
    assert trend.line([(1000, 7.0), (2000, 9.0)]) == pytest.approx((5, 0.002))


def run(*arguments):
    """Standard output and error of benchmarks/run.py."""
    command = [sys.executable, ROOT / "benchmarks" / "run.py", *map(str, arguments)]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    return done.stdout + done.stderr


def test_an_unknown_bench_is_refused():
    assert "no bench is called speed; there are build, reading," in run("--only", "speed")


def test_a_real_run_fills_a_table(tmp_path):
    results = tmp_path / "RESULTS.md"
    told = run("--only", "growth_build", "--sizes", 8, "--pairs", 1, "--out", results)
    text = results.read_text()
    row = next(line for line in text.splitlines() if line.startswith("| 8 images |"))
    seconds, disk, memory = (float(cell.replace(",", "")) for cell in row.split("|")[2:5])
    assert seconds > 0
    assert 0.02 < disk < 2  # MB; eight pictures of 150 x 150 pixels
    assert 20 < memory < 5000  # MB
    assert "- memory: " in text
    assert str(ROOT) not in text
    assert text.strip().splitlines()[-1] in told


def test_a_sample_for_the_defaults_splits_no_group(tmp_path):
    import defaults

    for name in ("a", "b"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(60):
            (tmp_path / "pictures" / name / f"{number // 3}_{number}.png").write_bytes(b"")
    defaults.sample(tmp_path / "pictures", tmp_path / "sample", 2, 10, 4, r"^(\d+)_")
    for name in ("a", "b"):
        files = [list((tmp_path / "sample" / part / name).iterdir()) for part in ("train", "test")]
        assert [len(found) for found in files] == [10, 4]
        training, test = ({path.name.split("_")[0] for path in found} for found in files)
        assert not training & test
        assert len(training) == 10  # as many groups as possible


def test_whole_groups_are_held_out_to_measure_novelty():
    import novelty

    paths = [Path(f"{number // 4}_{number}.png") for number in range(80)]
    out = novelty.held_out(paths, r"^\d+_")
    assert out.sum() == 80 / 5
    groups = [path.name.split("_")[0] for path in paths]
    assert not {group for group, one in zip(groups, out, strict=True) if one} & {
        group for group, one in zip(groups, out, strict=True) if not one
    }


def test_the_nearest_class_mean_by_hand():
    import novelty
    import numpy as np

    training = np.float32([[1, 0], [3, 0], [0, 2]])
    distances = novelty.nearest_mean(training, np.array([0, 0, 1]))
    assert distances(np.float32([[7, 0], [1, 1]])) == pytest.approx([0, 1 - 0.5**0.5], abs=1e-6)


def test_the_benchmark_of_drift_counts_verdicts(coloured_project):
    command = [sys.executable, ROOT / "benchmarks" / "drift.py", coloured_project]
    options = ["--images", "30", "--rounds", "2", "--permutations", "99", "--only", "power"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "last round: 29 held-out and 15 new groups, 58 and 30 pictures"
    assert [line[:20].strip() for line in lines[2:]] == [
        "none",
        "brightness x 0.8",
        "blur of radius 1",
    ]
    shares = [float(cell) for line in lines[2:] for cell in line[20:].split()]
    assert len(shares) == 15
    assert set(shares) <= {0.0, 0.5, 1.0}  # of two rounds
