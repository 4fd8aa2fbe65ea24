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
