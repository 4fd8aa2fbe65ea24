"""`trackbed sweep` with the real dvc."""

import json
import math
import re

import pandas as pd
import pytest
import sweeping

SPACE = ("-S", "train.learning_rate=1e-4..1e-1:log", "-S", "train.units=32..64")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    pytest.importorskip("optuna")
    return sweeping.create(tmp_path_factory.mktemp("search"))


def test_a_search_tries_settings_and_resumes(project):
    done = sweeping.trackbed(project, "sweep", "--search", 2, *SPACE)
    assert done.returncode == 0, done.stderr
    assert "2 settings, 2 runs" in done.stdout
    table = pd.read_csv(project.folder / "sweeps/sweep/table.csv")
    assert table["train.learning_rate"].between(1e-4, 1e-1).all()
    assert table["train.units"].between(32, 64).all()
    again = sweeping.trackbed(project, "sweep", "--search", 3, *SPACE)
    assert again.stdout.count("not run again: ") == 2
    assert "3 settings, 3 runs" in again.stdout
    assert re.search(r"\[1/1\] sweep-", again.stdout)


def test_both_ends_of_a_range_are_checked_first(project):
    done = sweeping.called(project, "sweep", "--search", 2, "-S", "train.dropout=0..1")
    assert done.returncode == 2
    assert "train.dropout: must be below 1, got 1" in done.stderr


def test_without_optuna_the_error_says_how_to_install_it(project, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'optuna':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    path = project.environment["PYTHONPATH"]
    project.environment["PYTHONPATH"] = f"{tmp_path}:{path}"
    try:
        done = sweeping.trackbed(project, "sweep", "--search", 2, *SPACE)
    finally:
        project.environment["PYTHONPATH"] = path
    assert done.returncode == 2
    assert "--search: needs Optuna, which is not installed. Run `make search`." in done.stderr


GRID = ("-S", "train.dropout=0.2,0.50", "--folds", "0,1,2")
RESULTS = ("table.csv", "cv_results.csv", "runs.csv", "best.json", "index.html")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A project in which two values of a parameter were cross-validated."""
    project = sweeping.create(tmp_path_factory.mktemp("swept"))
    project.done = sweeping.trackbed(project, "sweep", *GRID, "--jobs", 2)
    return project


def read(project, name):
    return (project.folder / "sweeps/sweep" / name).read_text()


def test_the_output_ends_with_the_ranked_settings(swept):
    assert (swept.done.returncode, swept.done.stderr) == (0, "")
    lines = swept.done.stdout.splitlines()
    assert re.match(r"\[6/6\] sweep-\S+: val_macro_f1 0\.\d{4}, \d+ s$", lines[5])
    assert any("left" in line for line in lines[:5])
    assert lines[6].startswith("2 settings, 6 runs; means over folds, ranked by validation")
    rows = [line.split()[:3] for line in lines[8:10]]
    # 0.9 - dropout / 10, and 0.01 for the mean of three folds.
    assert rows == [["1", "0.2", "0.8900"], ["2", "0.5", "0.8600"]]
    assert "the difference is significant" in lines[10]


def test_the_tables_have_the_scores_of_the_stages(swept):
    table = pd.read_csv(swept.folder / "sweeps/sweep/table.csv")
    first = table.iloc[0]
    assert first["std"] == pytest.approx(0.01)
    reach = 4.30265 * 0.01 / math.sqrt(3) / (0.89 * 0.11)  # of the log odds
    odds = [math.log(first[end] / (1 - first[end])) for end in ("low", "high")]
    assert odds == pytest.approx([math.log(0.89 / 0.11) + sign * reach for sign in (-1, 1)])
    assert first["test_macro_f1"] == pytest.approx(0.84)
    results = pd.read_csv(swept.folder / "sweeps/sweep/cv_results.csv")
    best = results[results["rank_test_score"] == 1].iloc[0]
    assert best["param_train.dropout"] == 0.2
    scores = [best[f"split{number}_test_score"] for number in range(3)]
    assert scores == pytest.approx([0.88, 0.89, 0.90])
    assert best["mean_fit_time"] == 2.5


def test_the_best_setting_has_the_keys_of_grid_search_cv(swept):
    best = json.loads(read(swept, "best.json"))
    assert best["best_params_"] == {"train.dropout": 0.2}
    assert best["best_score_"] == pytest.approx(0.89)
    assert best["experiment"] == "sweep-dropout=0.2_fold=0"
    results = pd.read_csv(swept.folder / "sweeps/sweep/cv_results.csv")
    assert results["rank_test_score"].iloc[best["best_index_"]] == 1


def test_the_page_needs_no_network_and_follows_light_and_dark(swept):
    page = read(swept, "index.html")
    assert "://" not in page.replace("http://www.w3.org", "")
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg") == 3 + 6  # of the best setting and of the parameter
    assert "Test scores are for information only" in page
    styles = re.findall(r'style="([^"]*)"', page)
    assert not [style for style in styles if re.search(r"#[0-9a-f]{6}", style)]


def test_the_workspace_is_not_touched(swept):
    assert swept.run("git", "status", "--porcelain") == ""
    assert not (swept.folder / "metrics").exists()
    assert not (swept.folder / ".dvc/tmp/trackbed").exists()


def test_dvc_knows_the_experiments(swept):
    listed = swept.run("dvc", "exp", "list", "--name-only").split()
    assert len(listed) == 6
    assert "sweep-dropout=0.5_fold=2" in listed


def test_what_exists_is_not_run_again(swept):
    before = {name: read(swept, name) for name in RESULTS}
    done = sweeping.called(swept, "sweep", *GRID)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("not run again: ") == 6
    assert "[1/" not in done.stdout
    assert {name: read(swept, name) for name in RESULTS} == before


def test_force_runs_an_existing_experiment_again(swept):
    setting = ("-S", "train.dropout=.2", "--folds", "0", "--prefix", "again")
    known = "sweep-dropout=0.2_fold=0"
    done = sweeping.called(swept, "sweep", *setting)
    assert f"not run again: again-dropout=0.2_fold=0 = {known}" in done.stdout
    done = sweeping.trackbed(swept, "sweep", *setting, "--force")
    assert "[1/1] again-dropout=0.2_fold=0: val_macro_f1 0.8800" in done.stdout
    swept.run("dvc", "exp", "remove", "again-dropout=0.2_fold=0")


def test_summarise_writes_the_same_files_again(swept):
    before = {name: read(swept, name) for name in RESULTS}
    for name in RESULTS:
        (swept.folder / "sweeps/sweep" / name).unlink()
    done = sweeping.called(swept, "sweep", "--summarise", "sweep")
    assert (done.returncode, done.stderr) == (0, "")
    assert {name: read(swept, name) for name in RESULTS} == before
    done = sweeping.called(swept, "sweep", "--summarise", "nothing")
    assert done.returncode == 2
    assert "has no finished experiment named nothing-" in done.stderr


def test_seeds_are_crossed_with_the_grid(swept):
    seeds = ("-S", "train.dropout=0.2", "--folds", "0", "--seeds", "0,1", "--prefix", "seeds")
    done = sweeping.trackbed(swept, "sweep", *seeds)
    assert done.returncode == 0, done.stderr
    assert "1 setting, 2 runs; means over seeds" in done.stdout
    table = pd.read_csv(swept.folder / "sweeps/seeds/table.csv")
    assert table["mean"].tolist() == [pytest.approx(0.8805)]


def test_lists_of_mappings_are_values_too(swept):
    augment = "train.augment=[],[{name: flip, mode: horizontal}]"
    done = sweeping.trackbed(swept, "sweep", "-S", augment, "--prefix", "lists", "--jobs", 2)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(swept.folder / "sweeps/lists/table.csv")
    assert set(table["train.augment"]) == {"[]", "[{mode: horizontal, name: flip}]"}
    again = sweeping.called(swept, "sweep", "-S", augment, "--prefix", "lists")
    assert again.stdout.count("not run again: ") == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-S", "train.augment=[{name: flip"], "[{name: flip: not a value that DVC can read"),
        (["-S", "train.dropout=interval(0,0.5)"], "an interval has no list of values"),
        (["-S", "train.dropout=0.1,0..0.5"], "a range goes with --search"),
        (["-S", "train.droput=0.1"], "unknown key 'droput'. Did you mean 'dropout'?"),
        (["-S", "trian.dropout=0.1"], "unknown section 'trian'. Did you mean 'train'?"),
        (["-S", "train.dropout=0.1,2"], "train.dropout: must be below 1, got 2"),
        (["-S", "train.optimizer=lion"], "train.optimizer: must be one of"),
        (["-S", "train.learning_rate=fast"], "train.learning_rate: must be a number, got fast"),
        (["-S", "evaluate.tops=1"], "unknown key 'tops'. Did you mean 'top_k'?"),
        (["-S", "train.dropout=0.2,.20"], "the same run comes twice"),
        (["-S", "train.dropout=0..0.5"], "a range goes with --search"),
        (["--folds", "7"], "train.fold: must be below split.folds (5), got 7"),
        (["--folds", "x"], "--folds x: must be different whole numbers"),
        (["-S", "train.fold=0,1", "--folds", "all"], "say the same"),
        (["--folds", "all", "--prefix", "a/b"], "--prefix a/b"),
        (["--folds", "all", "--jobs", "0"], "--jobs 0: must be at least 1"),
        ([], "Nothing to vary"),
    ],
)
def test_invalid_arguments_are_refused_first(swept, arguments, message):
    done = sweeping.called(swept, "sweep", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_sweep_and_best_import_no_tensorflow(swept):
    code = (
        "import sys; from trackbed.cli import main;"
        "status = main(['sweep', '--summarise', 'sweep']) or main(['best']);"
        "print(status, [name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    assert swept.run("python", "-c", code).splitlines()[-1] == "0 []"


@pytest.mark.slow
def test_a_project_in_a_subfolder_of_a_repository_with_an_odd_name(tmp_path):
    top = tmp_path / "mül ler #1 50%"
    project = sweeping.create(top / "pröj", top)
    project.run("dvc", "repro", "-q")
    project.commit("results")
    done = sweeping.trackbed(project, "sweep", "-S", "train.dropout=0.1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Best: sweep-dropout=0.1." in sweeping.called(project, "best").stdout
    compared = sweeping.called(project, "compare", "HEAD", "sweep-dropout=0.1")
    assert "macro F1 0.9000 -> 0.8900" in compared.stdout
    assert "No page with pictures: data/records is not here." in compared.stdout
    for arguments in (("gate", "--base", "HEAD"), ("verify",), ("best", "--apply")):
        done = sweeping.called(project, *arguments)
        assert (done.returncode, done.stderr) == (0, ""), arguments


def test_a_folder_that_is_not_a_project_is_refused(tmp_path, monkeypatch, capsys):
    from trackbed import cli

    monkeypatch.chdir(tmp_path)
    assert cli.main(["sweep", "--folds", "all"]) == 2
    assert "no DVC project. Run from the root of the repository." in capsys.readouterr().err
