import shutil

import pandas as pd
import pytest
from project import Project


@pytest.fixture(scope="session")
def comparable(finished, tmp_path_factory):
    """A copy of the finished project whose predictions tests may change, without hard links."""
    folder = tmp_path_factory.mktemp("comparable") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    return Project(folder)


@pytest.fixture
def worse(comparable):
    """`comparable` with every prediction of its workspace wrong."""
    path = comparable.folder / "data/evaluation/predictions.csv"
    kept = path.read_bytes()
    path.chmod(0o644)
    names = ["BALLAST", "GRAS", "STONE"]
    following = dict(zip(names, [*names[1:], names[0]], strict=True))
    table = pd.read_csv(path)
    table.assign(predicted=table["true"].map(following)).to_csv(path, index=False)
    yield comparable
    path.write_bytes(kept)
