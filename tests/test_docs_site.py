"""The documentation site: every page has its place; `make docs` builds it."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".cache/docs/bin/python"


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs/site/build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_document_is_in_one_section_of_the_navigation(build):
    # A new page goes into NAVIGATION of docs/site/build.py.
    documents = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
    assert sorted(page for page in build.pages() if page.startswith("docs/")) == documents
    assert len(set(build.pages())) == len(build.pages())
    assert all((ROOT / page).is_file() for page in build.pages())


def test_the_readme_lists_the_pages_as_the_navigation_does(build):
    rows = re.findall(
        r"^\| ([A-Z][\w ]+) \| (\[.*) \|$", (ROOT / "README.md").read_text("utf-8"), re.M
    )
    listed = {section: re.findall(r"\]\(([^)]+)\)", links) for section, links in rows}
    pages = iter(build.pages()[1:])
    entries = {section: [next(pages) for _ in names] for section, names in build.NAVIGATION.items()}
    assert listed == {section: names for section, names in entries.items() if names}


def test_a_page_links_to_pages_of_the_site_alone(build):
    pages = set(build.pages())
    for page in pages:
        text = build.CODE.sub("", (ROOT / page).read_text("utf-8"))
        for target in build.LINK.findall(text):
            if (path := target.partition("#")[0]).endswith(".md"):
                linked = ((ROOT / page).parent / path).resolve().relative_to(ROOT)
                assert linked.as_posix() in pages, f"{page} links to {linked}"


def test_sources_keep_their_places_and_the_readme_is_the_start(build, tmp_path):
    build.write_sources(tmp_path / "source")
    assert not (tmp_path / "source/README.md").exists()
    for name in ("index.md", "LICENSE", "docs/report.png", "docs/sources.md", "SECURITY.md"):
        assert (tmp_path / "source" / name).is_file(), name
    contributing = (tmp_path / "source/CONTRIBUTING.md").read_text("utf-8")
    assert "(index.md#layout)" in contributing
    start = (tmp_path / "source/index.md").read_text("utf-8")
    assert "docs/sources" in start.splitlines()
    assert "[Files between the stages](docs/records.md)" in start  # not docs/records.md


@pytest.mark.skipif(not PYTHON.exists(), reason="`make docs` installs what builds the site")
def test_a_link_to_a_missing_heading_stops_the_build(build, tmp_path):
    html = tmp_path / "html"
    build.write_sources(tmp_path / "source")
    page = tmp_path / "source/docs/training.md"
    page.write_text(page.read_text("utf-8") + "\n[there](data.md#no-such-heading)\n", "utf-8")
    command = [PYTHON, "-m", "sphinx", "--fail-on-warning", "-q", "-c", ROOT / "docs/site"]
    done = subprocess.run(
        [*command, tmp_path / "source", html], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (warning,) = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert re.search(r"training\.md:\d+: .*no-such-heading", warning)
