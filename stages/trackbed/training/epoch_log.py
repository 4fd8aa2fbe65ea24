"""What training reports while it runs: the epoch log of DVCLive, and a line on the terminal."""

import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import keras
import numpy as np
import rich.progress
from dvclive import Live
from scmrepo.exceptions import SCMError

from trackbed.pipeline import measurements
from trackbed.pipeline.errors import UserError
from trackbed.training.loop import Outcome
from trackbed.training.resources import InputWait, Resources

FOLDER = "train"  # in the metrics folder
SUMMARY_FILE = "metrics.json"  # as DVCLive names it
QUANTITIES = ("loss", "accuracy", "macro_f1")


def started(folder: Path) -> Live:
    """A DVCLive log in `folder` that touches nothing else: neither dvc.yaml nor git."""
    try:
        return Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None)
    except SCMError as error:
        raise UserError(
            f"DVCLive cannot use the git repository ({error}): commit once, then retry."
        ) from error


class EpochLog(keras.callbacks.Callback):
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
        waiting: InputWait | None = None,
        resources: Resources | None = None,
    ) -> None:
        super().__init__()
        self.live, self.images, self.waiting = live, images, waiting or InputWait()
        self.resources = resources or Resources()
        self.rows: list[dict[str, float]] = []
        self.measured: list[dict[str, float]] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the epoch's clock."""
        self.begun, self.waited = time.perf_counter(), self.waiting.seconds
        self.trained = None

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Stop the clock of training; validation comes now."""
        self.trained = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write one row of every curve, and one of measurements."""
        self.measured.append(self._measurements())
        row = {f"train/{name}": float(logs[name]) for name in QUANTITIES}
        row |= {f"val/{name}": float(logs[f"val_{name}"]) for name in QUANTITIES}
        row["learning_rate"] = float(self.model.optimizer.learning_rate)
        self.rows.append(row)
        self._write(epoch + 1)
        self.live.sync()

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
            "waiting_share": round((self.waiting.seconds - self.waited) / trained, 4),
        } | self.resources.taken()

    def _write(self, epoch: int) -> None:
        self.live.step = epoch
        for name, value in self.rows[epoch - 1].items():
            self.live.log_metric(name, value)
        measurements.add_epoch(epoch, self.measured[epoch - 1])

    def summarize(self, network: keras.Model, outcome: Outcome, monitor: str) -> None:
        """Replace the last epoch's values in metrics.json by those of the whole run."""
        best = self.rows[outcome.best_epoch - 1]
        self.live.summary = {
            "best_epoch": outcome.best_epoch,
            "epochs": outcome.epochs,
            "stopped_early": outcome.stopped_early,
            "monitor": monitor,
            "best": {f"val_{name}": best[f"val/{name}"] for name in QUANTITIES},
            **({"last_epoch": outcome.last_epoch} if outcome.last_epoch else {}),
            "parameters": network.count_params(),
            "network": network.name,
        }
        self.live.make_summary()


class Progress(keras.callbacks.Callback):
    """One line per epoch with the time left, and on a terminal a bar for the epoch under way."""

    remembered = ("best",)

    def __init__(self, epochs: int, monitor: str) -> None:
        super().__init__()
        self.epochs, self.monitor = epochs, monitor
        self.sign = 1 if monitor.endswith("loss") else -1  # of what is to become low
        self.best = float("inf")
        self.seconds: list[float] = []
        self.bar = rich.progress.Progress(disable=not sys.stdout.isatty(), transient=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        """Give the terminal back, whatever ended the training."""
        self.bar.stop()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Show an empty bar."""
        self.begun = time.perf_counter()
        self.bar.start()
        self.task = self.bar.add_task(
            f"epoch {epoch + 1}/{self.epochs}", total=self.params["steps"]
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Print the line of the epoch; a star marks the best monitored value so far."""
        self.bar.stop()
        self.bar.remove_task(self.task)
        value = self.sign * logs[self.monitor]
        star = " *" if value < self.best else ""
        self.best = min(self.best, value)
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
        left = timedelta(seconds=round(float(np.median(self.seconds)) * epochs))
        return f", {left} left" if left else ""
