"""A small project on tiny pictures, driven through the real command-line programs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

ROOT = Path(__file__).parents[1]
CODE = ("stages", "dvc.yaml", "params.yaml", "data/dvc.yaml", ".dvc/config", ".dvc/.gitignore")
CODE += (".dvc/plots", ".gitignore", ".dvcignore", "data/.gitignore")

# Small enough for seconds, large enough for every stage to have something to do.
TINY = {
    "data": {"source": "data/raw", "group": r"^(\d+)_"},
    "split": {"folds": 2, "test_share": 0.34},
    "train": {"image_side": 16, "epochs": 2, "warmup_epochs": 0, "batch": 8, "augment": []},
    "evaluate": {"corruptions": ["jpeg"]},
    "gate": {"above_baseline": False},
}


class Project:
    """A git repository with the pipeline, driven through the real command-line programs."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GIT_AUTHOR_NAME": "Tester",
            "GIT_AUTHOR_EMAIL": "tester@example.com",
            "GIT_COMMITTER_NAME": "Tester",
            "GIT_COMMITTER_EMAIL": "tester@example.com",
            "DVC_NO_ANALYTICS": "1",
            "COLUMNS": "200",
        }

    def run(self, *command, succeeds=True):
        """Output of a command; fails the test if it ends otherwise than expected."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert (done.returncode == 0) == succeeds, done.stdout
        return done.stdout

    def commit(self, message="state"):
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", message)

    def change(self, **sections):
        """Change values in params.yaml, e.g. change(train={"epochs": 1})."""
        path = self.folder / "params.yaml"
        values = yaml.safe_load(path.read_text())
        for section, changes in sections.items():
            values[section].update(changes)
        path.write_text(yaml.safe_dump(values, sort_keys=False))


def draw(folder, classes=("BALLAST", "GRAS", "STONE"), groups=6, frames=2):
    """Pictures of 24 x 20 pixels, a colour per class, `frames` of each group."""
    random = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        colour = np.roll([150, 60, 60], number)
        for group in range(groups):
            for frame in range(frames):
                noise = random.integers(-50, 50, (20, 24, 3))
                pixels = np.clip(colour + noise, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / name / f"{group:03d}_{frame}.png")
    return folder


def create(folder):
    """A project on tiny pictures, committed, nothing run yet."""
    for name in CODE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    project = Project(folder)
    draw(folder / "data" / "raw")
    (folder / "data" / "raw" / "GRAS" / "009_9.jpg").touch()  # empty: must be rejected
    project.change(**TINY)
    project.change(data={"max_rejects": 0.1})
    project.run("git", "init", "-q", "-b", "main")
    project.run("dvc", "add", "-q", "data/raw")
    project.commit("a project")
    return project


def copied(project, folder):
    """A copy of a project in a new folder."""
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder)
