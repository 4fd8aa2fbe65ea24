import pytest

from trackbed.dataset import images
from trackbed.dataset.schema import Entry, Limits

LIMIT = Limits(10_000_000)


@pytest.fixture
def load(tmp_path):
    """images.load for the content of a file."""

    def load(content, limits=LIMIT, box=None, margin=0.0):
        path = tmp_path / "picture"
        path.write_bytes(content)
        return images.load(Entry("picture", "A", "", "", path, box), limits, margin)

    return load
