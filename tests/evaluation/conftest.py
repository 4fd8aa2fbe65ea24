import pytest

from trackbed.evaluation import kept_results


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path_factory, monkeypatch):
    """Results of other tests, and of the repository itself, are not used."""
    monkeypatch.setattr(kept_results, "CACHE", tmp_path_factory.mktemp("kept"))
