import shutil

import damage
import pytest
import storages
from project import ROOT, create


@pytest.fixture
def project(tmp_path):
    return create(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project whose pipeline has run once and whose results are committed."""
    project = create(tmp_path_factory.mktemp("finished"))
    project.output = project.run("dvc", "repro")
    project.commit("results")
    return project


@pytest.fixture(scope="session")
def photographs():
    """The folder of real photographs beside the repository; skips where it is missing."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real photographs at {folder.relative_to(ROOT.parent)}")
    return folder


@pytest.fixture(scope="module")
def s3_server():
    with storages.s3_server() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def ssh_server(tmp_path_factory):
    if storages.SSHD is None:
        pytest.skip("no sshd: install openssh-server")
    folder = tmp_path_factory.mktemp("sshd")
    with storages.ssh_server(folder) as port:
        yield port, folder


@pytest.fixture(scope="session")
def small_project(tmp_path_factory):
    """The folder of a small DVC project and its pushed storage; do not change it."""
    return damage.build(tmp_path_factory.mktemp("small") / "project").folder.parent


@pytest.fixture
def damaged_project(small_project, tmp_path, capsys):
    """A copy of the small project to be damaged, with its own storage at ../store."""
    shutil.copytree(small_project, tmp_path / "copy", symlinks=True)
    config = tmp_path / "copy/project/.dvc/config"
    config.write_text(config.read_text().replace(str(small_project), str(tmp_path / "copy")))
    return damage.DamagedProject(tmp_path / "copy/project", capsys)
