import shutil

import browser
import damage
import deliveries
import pytest
import storages
from filelock import FileLock
from project import ROOT, Project, copied, create

# Files that start first, so that both workers are busy to the end: the longest ones. The first
# builds `finished`; the second needs no project and is not held up by that.
# The second needs no finished project, so that the other worker need not wait for the first one.
EARLY = ("test_pipeline.py", "test_loop.py", "test_recipes.py")


def pytest_collection_modifyitems(items):
    """Long files first, then those with a finished project, then the others, each file whole."""
    with_project = {item.path for item in items if "finished" in item.fixturenames}

    def place(item):
        if item.path.name in EARLY:
            return EARLY.index(item.path.name)
        return len(EARLY) + (item.path not in with_project)

    items.sort(key=place)


@pytest.fixture
def project(tmp_path):
    return create(tmp_path)


@pytest.fixture
def load(tmp_path):
    """images.load for the content of a file."""
    from trackbed.dataset import images
    from trackbed.dataset.schema import Entry
    from trackbed.pictures.rejections import Limits

    ten_million = Limits(10_000_000)

    def load(content, limits=ten_million, box=None, margin=0.0):
        path = tmp_path / "picture"
        path.write_bytes(content)
        return images.load(Entry("picture", "A", "", "", path, box), limits, margin)

    return load


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A project whose pipeline has run once and whose results are committed.

    Built once for all workers of pytest-xdist; each gets a copy of its own.
    """
    common = tmp_path_factory.getbasetemp().parent if worker_id != "master" else None
    shared = (common or tmp_path_factory.mktemp("shared")) / "finished"
    output = shared.with_suffix(".txt")  # of the pipeline; there once the project is whole
    with FileLock(shared.with_suffix(".lock")):
        if not output.exists():
            shutil.rmtree(shared, ignore_errors=True)
            shared.mkdir()
            project = create(shared)
            text = project.run("dvc", "repro")
            project.commit("results")
            output.write_text(text)
    project = copied(Project(shared), tmp_path_factory.mktemp("finished") / "project")
    project.output = output.read_text()
    return project


@pytest.fixture(scope="session")
def coloured_project(tmp_path_factory):
    """The folder of a project of coloured pictures with an exported model; do not change it."""
    return deliveries.project(tmp_path_factory.mktemp("coloured"))


@pytest.fixture(scope="session")
def photographs():
    """The folder of real photographs beside the repository; skips where it is missing."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real photographs at {folder.relative_to(ROOT.parent)}")
    return folder


@pytest.fixture(scope="module")
def page_at():
    """page_at(file, width, scheme) opens a page, see browser.py; one browser for a module."""
    with browser.opener() as page_at:
        yield page_at


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
