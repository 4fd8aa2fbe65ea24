"""All that is found in one history."""

from dataclasses import asdict, dataclass
from typing import Any

from trackbed.history import anomalies, best, convergence, evolution, fit, schedule, timing
from trackbed.history.history import History


@dataclass(frozen=True)
class Analysis:
    """The findings of a run; None or empty where the data are missing or too few to say.

    unknown: columns whose name tells nothing; they are kept, and no rule looks at them.
    """

    name: str
    kind: str
    epochs: int
    notes: tuple[str, ...]
    unknown: tuple[str, ...]
    parameters: int | None
    best: best.Best | None
    others: tuple[best.Best, ...]
    losses: tuple[evolution.Change, ...]
    milestones: tuple[evolution.Milestones, ...]
    fit: fit.Fit | None
    convergence: tuple[convergence.Convergence, ...]
    schedule: schedule.Schedule | None
    anomalies: tuple[anomalies.Anomaly, ...]
    timing: timing.Timing | None

    def values(self) -> dict[str, Any]:
        """Plain lists and dictionaries, as JSON takes them."""
        return asdict(self)


def analysis(
    history: History,
    *,
    monitor: str | None = None,
    patience: int | None = None,
    parameters: int | None = None,
) -> Analysis:
    """Analyse a history.

    monitor: the column that the best epoch goes by; patience: of early stopping, in epochs;
    parameters: of the network; each where the log does not say. Raises Problem for a monitor that
    the history has not.
    """
    monitored = best.monitored(history, monitor)
    losses = history.of("loss")
    judged = [*losses, *([monitored] if monitored and monitored not in losses else [])]
    return Analysis(
        name=history.name,
        kind=history.kind,
        epochs=len(history.table),
        notes=history.notes,
        unknown=tuple(column.name for column in history.columns if column.role == "other"),
        parameters=parameters if parameters is not None else history.facts.get("parameters"),
        best=best.best(history, monitored, patience) if monitored else None,
        others=best.others(history, monitored) if monitored else (),
        losses=evolution.changes(history),
        milestones=evolution.milestones(history),
        fit=fit.fit(history),
        convergence=convergence.convergence(history, judged),
        schedule=schedule.schedule(history, monitored),
        anomalies=anomalies.anomalies(history, monitored),
        timing=timing.timing(history),
    )
