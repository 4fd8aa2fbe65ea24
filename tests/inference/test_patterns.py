import glob
import os

import pytest

from trackbed.inference import patterns


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with files in folders, a hidden folder and an odd name."""
    monkeypatch.chdir(tmp_path)
    for name in ("x.jpg", "a/1.jpg", "a/b/2.jpg", "a/b/3.png", "[c]/4.jpg", ".h/5.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    "pattern",
    [
        *("*.jpg", "a/*.jpg", "**/*.jpg", "a/**/*.jpg", "a/**/b/*.jpg", "**/b/**/*.png", "*/*"),
        *("./**/2.jpg", "[[]c]/*", "a/[13].jpg", "nothing/**/*.jpg", "**/*.bmp", "a//**/*.jpg"),
    ],
)
def test_without_links_matches_are_those_of_glob(here, pattern):
    expected = {os.path.normpath(name) for name in glob.glob(pattern, recursive=True)}
    found = patterns.matches(pattern)
    assert {os.path.normpath(name) for name in found} == expected
    assert len(found) == len(expected)


def test_an_absolute_pattern(here):
    assert patterns.matches(f"{here}/**/2.jpg") == [f"{here}/a/b/2.jpg"]


@pytest.mark.parametrize("pattern", ["a/**", "a/**/*", "a/**/"])
def test_stars_at_the_end_stand_for_the_folder(here, pattern):
    assert patterns.matches(pattern) == ["a"]


def test_links_to_a_folder_above_have_an_end(here):
    # glob.glob would go through them 2 ** 40 times.
    for name in ("a/up", "a/b/up"):
        (here / name).symlink_to(here)
    assert patterns.matches("**/2.jpg") == ["a/b/2.jpg"]


def test_a_name_without_signs_is_no_pattern(here):
    assert patterns.matches("x.jpg") == []
