"""`trackbed sweep`: run many settings, on many folds, and rank them."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trackbed.experiments import overrides
from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    from trackbed.experiments.experiment import Experiment
    from trackbed.experiments.runs import Run
    from trackbed.experiments.sweeper import Failure

HELP = "run a grid or search of settings, optionally cross-validated, and rank them"
DESCRIPTION = """\
Run every combination of the given values as a DVC experiment, on every given fold and with every
given seed, and rank the settings.

Settings are ranked by the validation macro F1 at the best epoch (metrics/train/metrics.json), never
by a test score: a score that was used to choose is no longer an unbiased estimate. Test scores are
listed beside it.

The runs take place in temporary copies of HEAD; the workspace is not touched. An experiment with
the same parameters on the same commit is not run again, so an interrupted sweep resumes where it
stopped. Tables and a page are written to sweeps/PREFIX/, logs to sweeps/PREFIX/logs/.

exit code: 0 all runs succeeded, 1 some failed, 2 nothing could start, 130 interrupted."""
FAILED = 1
FOLDER = Path("sweeps")
PREFIX = "sweep"
LISTED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    more = ". With --search also LOW..HIGH and LOW..HIGH:log"
    overrides.add_grid_option(parser, "SECTION.KEY=VALUE[,VALUE...]", more)
    parser.add_argument(
        "--folds",
        metavar="all|0,1,...",
        help="folds to validate on, one run each; default: train.fold of params.yaml",
    )
    parser.add_argument(
        "--seeds", metavar="0,1,...", help="values of train.seed; default: that of params.yaml"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="runs at the same time; default: 1, or one per core (at most 4) where only the head "
        "of a frozen backbone is trained",
    )
    parser.add_argument(
        "--prefix", default=PREFIX, metavar="NAME", help="first part of the names; default: sweep"
    )
    parser.add_argument("--force", action="store_true", help="run existing experiments again")
    parser.add_argument(
        "--search",
        type=int,
        metavar="N",
        help="try N settings, each chosen from the scores of the earlier ones, instead of a grid "
        "(needs Optuna: make search)",
    )
    parser.add_argument(
        "--summarise",
        metavar="PREFIX",
        help="run nothing; write tables and page again from the experiments of this prefix",
    )
    parser.add_argument(
        "--rev",
        metavar="REV",
        help="with --summarise: the commit of the experiments; default: HEAD and commits with the "
        "same code and data",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run what is missing and write the summary; the exit code. Raises UserError."""
    from trackbed.experiments import experiment, validity
    from trackbed.integrity import git

    validity.check_project()
    if arguments.summarise:
        _summarise(arguments.summarise, arguments.rev)
        return 0
    if arguments.jobs is not None and arguments.jobs < 1:
        raise UserError(f"--jobs {arguments.jobs}: must be at least 1.")
    baseline = git.commit()
    try:
        runs, failed = (_search if arguments.search is not None else _grid)(arguments, baseline)
    except KeyboardInterrupt:
        print(f"`trackbed sweep --summarise {arguments.prefix}` ranks what is finished")
        raise
    names = {one.name for one in runs} - {one.name for one in failed}
    known = [one for one in experiment.finished(baseline) if one.name in names]
    _write(arguments.prefix, baseline, known, failed)
    for name, error, log in failed:
        print(f"FAILED: {name}: {error}\n  log: {log}")
    return FAILED if failed else 0


def _grid(arguments: argparse.Namespace, baseline: str) -> "tuple[list[Run], list[Failure]]":
    """Run every combination; all runs, and the failures."""
    from trackbed.experiments import concurrency, runs, search, sweeper, validity
    from trackbed.pipeline import params

    if not arguments.assignments and not arguments.folds and not arguments.seeds:
        raise UserError(
            "Nothing to vary: give -S, --folds or --seeds. See `trackbed sweep --help`."
        )
    settings = overrides.grid(arguments.assignments)
    for key, value in {pair for setting in settings for pair in setting.items()}:
        if search.match_range(value):
            raise UserError(f"-S {key}={value}: a range goes with --search N; give values instead.")
    sections = params.sections()
    count = validity.fold_count(sections)
    keys = set(map(overrides.plain_key, settings[0]))
    folds, seeds = runs.folds_and_seeds(arguments.folds, arguments.seeds, keys, count)
    planned = runs.planned(arguments.prefix, settings, folds, seeds)
    _check([one.setting for one in planned])
    jobs = min(arguments.jobs or concurrency.suitable_jobs(keys, sections), len(planned))
    logs = FOLDER / arguments.prefix / "logs"
    with sweeper.open_sweeper(baseline, logs, jobs, len(planned), arguments.force) as opened:
        opened.run(planned)
    return planned, opened.failed


def _search(arguments: argparse.Namespace, baseline: str) -> "tuple[list[Run], list[Failure]]":
    """Run the settings that a search suggests; all runs, and the failures."""
    from trackbed.experiments import concurrency, experiment, runs, search, sweeper, validity
    from trackbed.pipeline import params

    if arguments.search < 1:
        raise UserError(f"--search {arguments.search}: must be at least 1.")
    space = search.search_space(arguments.assignments)
    sections = params.sections()
    count = validity.fold_count(sections)
    keys = set(map(overrides.plain_key, space))
    folds, seeds = runs.folds_and_seeds(arguments.folds, arguments.seeds, keys, count)
    repeats = max(1, len(folds)) * max(1, len(seeds))
    limits = search.extreme_settings(space)
    _check([run.setting for one in limits for run in _planned(arguments, one, folds, seeds)])
    # Not by the cores of the machine: it decides which scores a suggestion knows.
    at_once = max(1, (arguments.jobs or 1) // repeats)
    jobs = arguments.jobs or min(concurrency.suitable_jobs(keys, sections), repeats)
    study, planned = search.create_study(at_once), {}
    logs, total = FOLDER / arguments.prefix / "logs", arguments.search * repeats
    with sweeper.open_sweeper(baseline, logs, jobs, total, arguments.force) as opened:
        for begin in range(0, arguments.search, at_once):
            trials = [study.ask() for _ in range(min(at_once, arguments.search - begin))]
            settings = [search.suggest(trial, space) for trial in trials]
            batches = [_planned(arguments, setting, folds, seeds) for setting in settings]
            fresh = {run.name: run for batch in batches for run in batch if run.name not in planned}
            opened.progress.total -= len(trials) * repeats - len(fresh)
            opened.run(list(fresh.values()))
            planned |= fresh
            for trial, batch in zip(trials, batches, strict=True):
                scores = [experiment.validation_macro_f1(baseline, run.name) for run in batch]
                search.report_scores(study, trial, scores)
    return list(planned.values()), opened.failed


def _planned(
    arguments: argparse.Namespace, setting: dict[str, str], folds: list[int], seeds: list[int]
) -> "list[Run]":
    from trackbed.experiments import runs

    return runs.planned(arguments.prefix, [setting], folds, seeds)


def _check(settings: "Sequence[dict[str, str]]") -> None:
    from trackbed.experiments import validity
    from trackbed.pipeline import params

    sections = params.sections()
    for one in settings:
        validity.check_source(one.get("data.source", ""))
    validity.check_settings(settings, sections)
    validity.check_workspace(str(sections.get("data", {}).get("source", "")))


def _summarise(prefix: str, revision: str | None) -> None:
    from trackbed.experiments import lineage
    from trackbed.integrity import git

    baseline = git.commit(revision or "HEAD")
    by_commit, note = lineage.to_rank(baseline, alone=revision is not None)
    known = [one for several in by_commit.values() for one in several]
    if note:
        print(note)
    if not _write(
        prefix, baseline, [one for one in known if one.name.startswith(f"{prefix}-")], []
    ):
        raise UserError(
            f"--summarise {prefix}: commit {baseline[:10]} has no finished experiment named "
            f"{prefix}-...; `dvc exp list` shows those there are, --rev another commit."
        )


def _write(
    prefix: str, baseline: str, known: "Sequence[Experiment]", failed: "Sequence[Failure]"
) -> bool:
    """Write and print the summary; False where no experiment has a validation score.

    Experiments whose score is undefined have no rank and are named.
    """
    from trackbed.experiments import experiment
    from trackbed.pages import sweep_page
    from trackbed.reporting import formatting

    undefined = [one.name for one in known if "best.val_macro_f1" not in one.validation]
    if undefined:
        names = formatting.listed(undefined, LISTED)
        print(f"Without a rank, because val_macro_f1 is undefined: {names}.")
    if len(undefined) == len(known):
        return False
    keys = experiment.varied_params(known)
    sweep = sweep_page.Sweep(prefix, baseline, experiment.run_table(known, keys), keys, failed)
    folder = FOLDER / prefix
    sweep_page.write(folder, sweep, experiment.read_curves(known, sweep_page.QUANTITIES))
    print(sweep_page.text(sweep))
    print(f"page: {folder / 'index.html'}")
    return True
