"""What training reports while it runs: the epoch log of DVCLive, and a line on the terminal."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from dvclive import Live
from scmrepo.exceptions import SCMError

from trackbed.pipeline import measurements, tables
from trackbed.pipeline.errors import UserError
from trackbed.training.early_stopping import Logs, Observer, Outcome, is_better
from trackbed.training.resources import Resources

FOLDER = "train"  # in the metrics folder
SUMMARY_FILE = "metrics.json"  # as DVCLive names it
RECENT_EPOCHS = 5  # whose seconds give the estimate of the time left
SUMMARY_COLUMNS = ("val_f1",)  # that DVC shows
QUANTITIES = ("loss", "accuracy", "macro_f1")


def started(folder: Path) -> Live:
    """A DVCLive log in `folder` that touches nothing else: neither dvc.yaml nor git."""
    try:
        return Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None)
    except SCMError as error:
        raise UserError(
            f"DVCLive cannot use the git repository ({error}): commit once, then retry."
        ) from error


class EpochLog(Observer):
    """Logs losses, scores and learning rate of every epoch, and apart from them what it took.

    The log holds nothing of clock or machine, so that the same training gives the same files.
    Seconds, images per second, the share of the training time spent waiting for batches, and what
    Resources measures go to the table of trackbed.pipeline.measurements.

    DVCLive's own Keras callback renames everything with `val_` in its name and knows no
    learning-rate schedule. Steps are epochs, counted from 1.
    """

    remembered = ("rows", "measured")

    def __init__(
        self,
        live: Live,
        images: int,
        waited: Callable[[], float] = lambda: 0.0,
        resources: Resources | None = None,
    ) -> None:
        """waited: gives the seconds waited for batches so far; images: of an epoch."""
        self.live, self.images, self.waited = live, images, waited
        self.resources = resources or Resources()
        self.rows: list[dict[str, float]] = []
        self.measured: list[dict[str, float]] = []

    def on_epoch_begin(self, epoch: int) -> None:
        """Start the epoch's clock."""
        self.begun, self.waited_before = time.perf_counter(), self.waited()
        self.trained = None

    def on_test_begin(self) -> None:
        """Stop the clock of training; validation comes now."""
        self.trained = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Write one row of every curve, and one of measurements."""
        self.measured.append(self._measurements())
        row = {f"train/{name}": float(logs[name]) for name in QUANTITIES}
        row |= {f"val/{name}": float(logs[f"val_{name}"]) for name in QUANTITIES}
        row["learning_rate"] = float(logs["learning_rate"])
        self.rows.append(row)
        self._write(epoch + 1)
        self.live.sync()
        # DVCLive writes all values of the epoch; `dvc exp show` would have a column for each.
        so_far = {"val_f1": row["val/macro_f1"], "epochs": epoch + 1}
        tables.write_metrics(Path(self.live.metrics_file), so_far, SUMMARY_COLUMNS)

    def resumed(self) -> None:
        """Write again what the run had logged before it was killed."""
        print(f"resumed after epoch {len(self.rows)}", flush=True)
        for epoch in range(1, len(self.rows) + 1):
            self._write(epoch)

    def _measurements(self) -> dict[str, float]:
        now = time.perf_counter()
        trained = (self.trained or now) - self.begun
        return {
            "seconds": round(now - self.begun, 3),
            "images_per_second": round(self.images / trained, 1),
            "waiting_share": round((self.waited() - self.waited_before) / trained, 4),
        } | self.resources.taken()

    def _write(self, epoch: int) -> None:
        self.live.step = epoch
        for name, value in self.rows[epoch - 1].items():
            self.live.log_metric(name, value)
        measurements.add_epoch(epoch, self.measured[epoch - 1])

    def write_summary(
        self, path: Path, outcome: Outcome, monitor: str, *, network: str, parameters: int
    ) -> None:
        """Replace what DVCLive wrote of the last epoch by the values of the whole run.

        path: the file, once the log is closed. network: its name; parameters: their number in the
        whole network. `val_f1` is the macro F1 on the validation fold at the best epoch.
        """
        best = self.rows[outcome.best_epoch - 1]
        summary = {
            "val_f1": best["val/macro_f1"],
            "best_epoch": outcome.best_epoch,
            "epochs": outcome.epochs,
            "stopped_early": outcome.stopped_early,
            "monitor": monitor,
            "best": {f"val_{name}": best[f"val/{name}"] for name in QUANTITIES},
            **({"last_epoch": outcome.last_epoch} if outcome.last_epoch else {}),
            "parameters": parameters,
            "network": network,
        }
        tables.write_metrics(path, summary, SUMMARY_COLUMNS)


class Progress(Observer):
    """One line per epoch with the time left, and on a terminal a bar for the epoch under way."""

    remembered = ("best",)

    def __init__(self, epochs: int, monitor: str, steps: int) -> None:
        """steps: batches of an epoch, for the bar."""
        self.epochs, self.monitor, self.steps = epochs, monitor, steps
        self.best: float | None = None
        self.seconds: list[float] = []
        self.bar = _bar() if sys.stdout.isatty() else None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back, whatever ended the training."""
        if self.bar:
            self.bar.stop()

    def on_epoch_begin(self, epoch: int) -> None:
        """Show an empty bar."""
        self.begun = time.perf_counter()
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task(f"epoch {epoch + 1}/{self.epochs}", total=self.steps)

    def on_train_batch_end(self, batch: int) -> None:
        """Move the bar."""
        if self.bar:
            self.bar.update(self.task, completed=batch + 1)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        """Print the line of the epoch; a star marks the best monitored value so far."""
        if self.bar:
            self.bar.stop()
            self.bar.remove_task(self.task)
        value = float(logs[self.monitor])
        best = self.best is None or is_better(self.monitor, value, self.best)
        star, self.best = (" *", value) if best else ("", self.best)
        self.seconds.append(time.perf_counter() - self.begun)
        print(
            f"epoch {epoch + 1:>3}/{self.epochs}  loss {logs['loss']:.4f}  "
            f"val loss {logs['val_loss']:.4f}  val accuracy {logs['val_accuracy']:.4f}  "
            f"val macro F1 {logs['val_macro_f1']:.4f}  "
            f"{self.seconds[-1]:.1f} s{self._left(self.epochs - epoch - 1)}{star}",
            flush=True,
        )

    def _left(self, epochs: int) -> str:
        """How long so many epochs will take; fewer may do."""
        if not epochs:
            return ""
        # The first epoch includes tracing; later ones may have larger images or more to train.
        recent = self.seconds[1:][-RECENT_EPOCHS:]
        left = timedelta(seconds=round(statistics.median(recent) * epochs)) if recent else None
        return f", {left} left" if left else ""


def _bar() -> Any:
    import rich.progress

    return rich.progress.Progress(transient=True)
