"""The build against sources that try to fool it: nothing is lost, changed, run or left unsaid."""

import hashlib
import json
import os
import re
import stat
from html import unescape

import evil_corpus
import pytest
from evil_corpus import ACCEPTED

from trackbed.pictures.file_names import UNSAFE_CHARACTERS
from trackbed.pipeline import tables
from trackbed.pipeline.outputs import write_json
from trackbed.reporting import html

pytestmark = pytest.mark.slow
MEMORY = 2**30
SMALL = 2**26  # bytes of a file that is compared by content


def state(folder):
    """Type, length, times, links and content of all that lies in a folder, by name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        of = path.lstat()
        plain = stat.S_ISREG(of.st_mode) and of.st_size < SMALL
        content = hashlib.sha256(path.read_bytes()).hexdigest() if plain else ""
        found[path] = (of.st_mode, of.st_size, of.st_mtime_ns, of.st_ctime_ns, of.st_nlink, content)
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One source of all files, after the build: folder, what the process did, and outcomes."""
    folder = tmp_path_factory.mktemp("files")
    cases = evil_corpus.lay_files(folder)
    before = state(folder / "raw")
    done = evil_corpus.run(folder, evil_corpus.STAGE, "data", "metrics")
    assert done.code == 0, done.output
    assert state(folder / "raw") == before
    return folder, done, evil_corpus.outcomes_of_files(folder, cases)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Sources that are a case each, after the build."""
    folder = tmp_path_factory.mktemp("sources")
    cases = evil_corpus.lay_trees(folder)
    before = state(folder)
    done = evil_corpus.run(folder, evil_corpus.__file__, folder)
    assert done.code == 0, done.output
    after = state(folder)
    assert {path: after[path] for path in before if "raw" in path.parts} == {
        path: of for path, of in before.items() if "raw" in path.parts
    }
    return folder, done, evil_corpus.outcomes_of_trees(folder, cases)


def wrong(outcomes):
    return [f"{one.case.name}: {one.found}" for one in outcomes if not one.is_right()]


def test_every_file_becomes_what_it_must(files):
    outcomes = files[2]
    assert wrong(outcomes) == []
    names = {one.case.name for one in outcomes}
    assert len(names) == len(outcomes) >= 60


def test_every_source_becomes_what_it_must(sources):
    outcomes = sources[2]
    assert wrong(outcomes) == []
    assert len({one.case.name for one in outcomes}) == len(outcomes) >= 60


def test_messages_have_no_unsafe_characters(sources):
    refused = [one.found for one in sources[2] if one.found.startswith("refused")]
    assert refused
    lines = [line for text in refused for line in text.split("\n")]  # a problem each
    assert [line for line in lines if UNSAFE_CHARACTERS.search(line)] == []


def test_files_add_up(files):
    folder, _, _ = files
    counts = tables.metrics(folder / "metrics/data.json", "")
    lying = sum(len(names) for _, _, names in os.walk(folder / "raw"))
    links_to_folders = 1  # which os.walk takes for folders
    assert counts["seen"] == lying + links_to_folders
    assert counts["seen"] == counts["accepted"] + counts["rejected"] + counts["ignored"]
    assert counts["accepted"] == len(evil_corpus.rows(folder / "data/records/index.csv"))
    assert counts["rejected"] == len(evil_corpus.rows(folder / "data/records/rejects.csv"))


def test_neither_much_memory_nor_another_program_is_needed(files, sources):
    for folder, done, _ in (files, sources):
        assert 0 < done.peak < MEMORY
        assert not (folder / "stolen").exists()


def test_every_reject_has_its_reason_and_is_safe_on_a_terminal(files):
    rejects = evil_corpus.rows(files[0] / "data/records/rejects.csv")
    assert all(row["reason"] for row in rejects)
    assert not [row for row in rejects if UNSAFE_CHARACTERS.search("".join(row.values()))]


def test_names_travel_unharmed_through_records_and_tables(files):
    tf = pytest.importorskip("tensorflow")
    folder, _, outcomes = files
    index = evil_corpus.rows(folder / "data/records/index.csv")
    wanted = {one.case.key for one in outcomes if one.found == ACCEPTED}
    assert {row["filename"] for row in index} == wanted
    paths = sorted(map(str, (folder / "data/records").glob("*.tfrecord")))
    rows = []
    for record in tf.data.TFRecordDataset(paths).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        values = [feature[name].bytes_list.value[0] for name in ("image_filename", "class_name")]
        rows.append([value.decode() for value in values])
    assert rows == [[row["filename"], row["class_name"]] for row in index]
    assert all(name.startswith(f"{class_name}/") for name, class_name in rows)


def test_names_travel_unharmed_through_json_and_pages(files, tmp_path):
    index = evil_corpus.rows(files[0] / "data/records/index.csv")
    names = sorted({value for row in index for value in (row["filename"], row["class_name"])})
    write_json(tmp_path / "names.json", {name: name for name in names})
    read = json.loads((tmp_path / "names.json").read_text("utf-8"))
    assert list(read) == list(read.values()) == names
    template = "{% for name in names %}<i title='{{ name }}'>{{ name }}</i>\n{% endfor %}"
    page = html.environment(autoescape=True).from_string(template).render(names=names)
    found = re.findall(r"<i title='([^']*)'>([^<]*)</i>\n", page)
    assert [tuple(map(unescape, pair)) for pair in found] == [(n, n) for n in names]
    assert set(re.findall(r"</?\w+", page)) == {"<i", "</i"}
