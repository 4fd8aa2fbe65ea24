"""Revision, software, machine, times and other runs: what the report shows beside its page.

It differs from clone to clone. A script file beside the page holds it, which neither git nor DVC
sees, so that the page has the same bytes everywhere. The page loads that file and fills its parts
in; a digest says whether the two belong together.
"""

import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from trackbed.curves import columns
from trackbed.curves.analysis import timing
from trackbed.curves.history import History
from trackbed.integrity import git
from trackbed.pipeline import measurements
from trackbed.pipeline.errors import UserError
from trackbed.pipeline.outputs import replacing
from trackbed.reporting import curves_text, formatting, html, previous_runs, training_advice
from trackbed.reporting.previous_runs import OtherRun
from trackbed.reporting.run import Run


def hardware() -> dict[str, str]:
    """Processor, cores, memory and system of this machine, and its NVIDIA GPUs if any."""
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    found = {
        "processor": _processor(),
        "cores": str(cores),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
    }
    gpus = _gpus()
    return found | ({"GPU": ", ".join(gpus)} if gpus else {})


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _gpus() -> list[str]:
    # Its import takes a moment, and without a driver it fails.
    import pynvml

    try:
        pynvml.nvmlInit()
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return [str(pynvml.nvmlDeviceGetName(handle)) for handle in handles]
    except pynvml.NVMLError:
        return []


PACKAGES = ("tensorflow", "keras", "dvc", "dvclive", "scikit-learn", "numpy", "pillow")
# What makes a result; outputs that the pipeline wrote a moment ago do not count.
CODE = ("stages", "dvc.yaml", "params.yaml")


@dataclass(frozen=True)
class Revision:
    """A commit ('unknown' outside a repository), and whether the code differs from it."""

    commit: str
    changed: bool

    @property
    def known(self) -> bool:
        """Whether there is a commit."""
        return self.commit != "unknown"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that matter, without importing them."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def revision() -> Revision:
    """The git revision of the current folder."""
    try:
        commit = git.commit()
        return Revision(commit, changed=bool(git.run("status", "--porcelain", "--", *CODE)))
    except UserError:
        return Revision("unknown", changed=False)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


CONTEXT_FILE = "report_context.js"  # in the plots folder, beside the page
TEMPLATE = "report_context.html.j2"
STAGES = ("build_tfrecord", "split", "embed", "train", "export", "evaluate")
EPOCH_COLUMNS = {
    "seconds": "Seconds",
    "images_per_second": "Images per second",
    "waiting_share": "Waiting for images",
    "cpu_share": "CPU",
    "memory_mb": "Memory, MB",
    "gpu_share": "GPU",
    "gpu_memory_mb": "GPU memory, MB",
}


def write_context(path: Path, page: str, run: Run, others: list[OtherRun]) -> None:
    """Write the script file of a page. page: digest that the page holds."""
    template = html.environment(autoescape=True).get_template(TEMPLATE)
    content = {
        **_times(run.training.content),
        "run": run,
        "others": others,
        "changes": previous_runs.image_changes(run.previous, run.evaluation.predictions),
        "interval": formatting.interval,
        "revision": revision(),
        "versions": versions(),
        "hardware": hardware(),
        "format_times": measurements.formats(run.formats),
        "seconds": measurements.stage_seconds(STAGES),
    }
    context = template.new_context(content)
    parts = {name: "".join(block(context)).strip() for name, block in template.blocks.items()}
    curves = [
        {"name": one.name, "kind": one.kind, "changes": one.changes, "curves": one.curves}
        for one in others
        if one.curves
    ]
    text = json.dumps({"page": page, "parts": parts, "curves": curves}, indent=1)
    with replacing(path) as temporary:
        temporary.write_text(f"window.reportContext = {text};\n", encoding="utf-8", newline="\n")


def _times(summary: bytes) -> dict[str, Any]:
    """What the measurements of the training come to, for the template."""
    table = measurements.training(summary)
    if table is None:
        return {"measured": {}, "waiting": "", "sentences": [], "epoch_columns": [], "epochs": []}
    measured = measurements.totals(table)
    known = {key: label for key, label in EPOCH_COLUMNS.items() if key in table}
    return {
        "measured": measured,
        "waiting": training_advice.waiting(measured.get("waiting_share")),
        "sentences": curves_text.timing_text(timing(_history(table))),
        "epoch_columns": list(known.values()),
        "epochs": [(epoch, list(row)) for epoch, row in table[list(known)].iterrows()],
    }


def _history(table: pd.DataFrame) -> History:
    return History("train", "measurements", table, columns.known(table.columns), table["seconds"])
