"""A project whose stages take no time: the real dvc, the real params.yaml, a made-up training.

Its score is known: macro F1 = 0.9 - |log10(learning_rate) + 2| / 10 - dropout / 10 + fold / 100
+ seed / 1000. `train.network: gtsrb` diverges, `train.patience: 1000` waits in a child process.
"""

import contextlib
import io
import os
import shutil
import subprocess
import sys

from project import ROOT, Project

from trackbed import cli

STAGE = """\
import hashlib, json, math, subprocess, sys, pathlib, yaml

p = yaml.load(open("params.yaml"), Loader=yaml.BaseLoader)["train"]
if p["network"] == "gtsrb":
    print("epoch 1/2")
    sys.exit("train: the loss is not finite after epoch 1; lower train.learning_rate.")
if p["patience"] == "1000":
    print("waiting", flush=True)
    subprocess.run(["sleep", "1000"])
score = 0.9 - abs(math.log10(float(p["learning_rate"])) + 2) / 10 - float(p["dropout"]) / 10
score += int(p["fold"]) / 100 + int(p["seed"]) / 1000
log = pathlib.Path("metrics/train")
for part in ("train", "val"):
    folder = log / "plots" / "metrics" / part
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("loss", "accuracy", "macro_f1"):
        rows = [f"{step}\\t{score * (0.5 + step / 6)}" for step in (1, 2, 3)]
        (folder / f"{name}.tsv").write_text("\\n".join([f"step\\t{name}", *rows]) + "\\n")
best = {"val_loss": 1 - score, "val_accuracy": score + 0.01, "val_macro_f1": score}
summary = json.dumps({"best_epoch": 3, "best": best, "seed": p["seed"]})
(log / "metrics.json").write_text(summary)
measured = pathlib.Path("logs/train") / f"{hashlib.sha256(summary.encode()).hexdigest()[:16]}.csv"
measured.parent.mkdir(parents=True, exist_ok=True)
measured.write_text("epoch,seconds\\n1,1.0\\n2,1.0\\n3,0.5\\n")
test = {"macro_f1": score - 0.05, "macro_f1_low": score - 0.1, "macro_f1_high": score}
test |= {"accuracy": score, "test_part": "side " + p["image_side"]}
sure = 0.95 if float(p["dropout"]) == 0.1 else "undefined"
test |= {"refusal_threshold": "undefined", "refusal_precision": sure}
json.dump(test, open("metrics/evaluate.json", "w"))
right = round(100 * score)
rows = ["record,filename,group,true,predicted,confidence,p_A,p_B"]
for number in range(200):
    true = "AB"[number % 2]
    predicted = true if number // 2 < right else "AB"[1 - number % 2]
    rows.append(f"{number},{number}.png,{number // 2},{true},{predicted},0.9,0.9,0.1")
folder = pathlib.Path("data/evaluation")
folder.mkdir(parents=True, exist_ok=True)
(folder / "predictions.csv").write_text("\\n".join(rows) + "\\n")
"""
PIPELINE = """\
stages:
  train:
    cmd: python stages/train.py
    deps: [stages/train.py]
    params: [train]
    outs: [data/evaluation]
    metrics:
      - metrics/train/metrics.json: {cache: false}
      - metrics/evaluate.json: {cache: false}
    plots:
      - metrics/train/plots/metrics: {cache: false, x: step}
"""
IGNORED = "/data/evaluation\n/logs/\n/sweeps/\n/data/raw/\n"


def create(folder, top=None):
    """The project, committed. top: the root of the git repository; None: the folder itself."""
    project = Project(folder)
    project.environment["PYTHONPATH"] = str(ROOT / "stages")
    (folder / "stages").mkdir(parents=True)
    (folder / "stages" / "train.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / ".gitignore").write_text(IGNORED)
    shutil.copy(ROOT / "params.yaml", folder)
    project.run("git", "init", "-q", "-b", "main", top or folder)
    project.run("dvc", "init", "-q", *([] if top is None else ["--subdir"]))
    project.change(train={"learning_rate": 0.01, "dropout": 0.0})
    project.commit()
    return project


def trackbed(project, *arguments):
    """The program in the project, finished: returncode, stdout, stderr."""
    with started(project, *arguments) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def called(project, *arguments):
    """Like `trackbed`, in this process and so without its start; for what runs no experiment."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(project.folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = cli.main([str(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def started(project, *arguments):
    """The program in the project, as a process of a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "trackbed", *map(str, arguments)],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def processes(folder):
    """Command lines of the processes whose working folder lies below this one."""
    found = []
    for place in os.listdir("/proc"):
        try:
            where = os.readlink(f"/proc/{place}/cwd") if place.isdigit() else ""
        except OSError:
            continue
        if where.startswith(str(folder)):
            found.append(where)
    return found
