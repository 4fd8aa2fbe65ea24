import pytest
import served


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """An exported model; do not change it."""
    return served.write_model(tmp_path_factory.mktemp("served") / "exported")


@pytest.fixture(scope="session")
def server(model_folder):
    """A server with small limits for all tests that leave it as it is."""
    limits = ("--max-bytes", 400_000, "--max-files", 5, "--timeout", 1, "--watch", 0)
    with served.running(model_folder, *limits) as running:
        yield running
