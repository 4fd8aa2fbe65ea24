"""Experiments of other commits that can be ranked with those of a commit."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from trackbed.experiments import experiment
from trackbed.experiments.experiment import Experiment
from trackbed.integrity import git
from trackbed.pipeline import params

PREFIX = "refs/exps/"
HASH_LENGTH = 40
# Every experiment has its own params.yaml; where the cache and the remotes are changes no result.
FREE = {str(params.PARAMS), ".dvc/config"}
CODE = "code"
LISTED = 5


def bases() -> list[str]:
    """The commits that have experiments in this repository, sorted.

    Without commits that are not here, as in a shallow clone.
    """
    found = set()
    for name in git.references(PREFIX):
        start, rest, *_ = [*name.removeprefix(PREFIX).split("/"), ""]
        if len(start + rest) == HASH_LENGTH:  # others are DVC's own
            found.add(start + rest)
    names = "".join(f"{one}\n" for one in sorted(found))
    checked = git.run("cat-file", "--batch-check", stdin=names.encode("ascii")).decode("ascii")
    return [line.split()[0] for line in checked.splitlines() if line.split()[1] == "commit"]


def source_changes(first: str, second: str) -> list[str]:
    """Files on which the result of a run depends and in which two commits differ.

    Without params.yaml, which each experiment has by itself.
    """
    return [path for path in git.changed_paths(first, second) if _decides(path)]


def with_same_source(baseline: str) -> list[str]:
    """The commit, and the other commits with experiments whose code, data and pipeline are equal.

    The others are sorted, ancestors first, the nearest of them in front.
    """
    others = [one for one in bases() if one != baseline and not source_changes(one, baseline)]
    distance = {one: place for place, one in enumerate(_ancestors(baseline))}
    return [baseline, *sorted(others, key=lambda one: (distance.get(one, len(distance)), one))]


def nearest(baseline: str) -> str | None:
    """The nearest earlier commit that has experiments; None if there is none."""
    known = set(bases())
    return next((one for one in _ancestors(baseline) if one in known), None)


def to_rank(baseline: str, *, alone: bool) -> tuple[dict[str, list[Experiment]], str]:
    """The experiments to rank by their commit, see `finished`, and a sentence where others count.

    alone: those of the commit itself. Else those of all commits with the same code, data and
    pipeline; where there are none, those of the nearest earlier commit that has any.
    """
    if alone:
        return finished([baseline]), ""
    found = {
        one: several for one, several in finished(with_same_source(baseline)).items() if several
    }
    earlier = None if found else nearest(baseline)
    if earlier is not None:
        changed = source_changes(earlier, baseline)
        more = f" and {len(changed) - LISTED} more" if len(changed) > LISTED else ""
        return finished([earlier]), (
            f"Commit {baseline[:7]} has no finished experiment. Ranked are those of {earlier[:7]}; "
            f"since then code or data have changed: {', '.join(changed[:LISTED])}{more}."
        )
    counts = ", ".join(f"{len(several)} of {commit[:7]}" for commit, several in found.items())
    own = not found or list(found) == [baseline]
    start = f"Ranked are the experiments with the code and data of {baseline[:7]}"
    return found, "" if own else f"{start}: {counts}."


def finished(commits: Sequence[str]) -> dict[str, list[Experiment]]:
    """The experiments of each commit, each run once, with the parameter `code`.

    Of runs with the same parameters and code the first with scores stays. A name that an
    experiment of another commit has already gets '@' and the commit. `code` is the short hash of
    the folder stages/.
    """
    known = [(commit, one) for commit in commits for one in _with_code(experiment.finished(commit))]
    names: set[str] = set()
    runs: set[str] = set()
    found: dict[str, list[Experiment]] = {commit: [] for commit in commits}
    for commit, one in sorted(known, key=lambda pair: not pair[1].validation):
        run = json.dumps(one.params, sort_keys=True)
        if run not in runs:
            name = one.name if one.name not in names else f"{one.name}@{commit[:7]}"
            found[commit].append(replace(one, name=name))
            names.add(name)
            runs.add(run)
    return found


def _with_code(known: Sequence[Experiment]) -> Iterable[Experiment]:
    below = git.prefix()
    names = "".join(f"{one.commit}:{below}stages\n" for one in known)
    trees = git.run("cat-file", "--batch-check=%(objectname)", stdin=names.encode("utf-8"))
    for one, tree in zip(known, trees.decode("utf-8").splitlines(), strict=True):
        code = "none" if tree.endswith(" missing") else tree[:7]
        yield replace(one, params=one.params | {CODE: code})


def _ancestors(commit: str) -> list[str]:
    return git.line("rev-list", commit).split()


def _decides(path: str) -> bool:
    return experiment.is_source(path) and path not in FREE
