"""Build the documentation site from the Markdown files of the repository.

Usage: python docs/site/build.py FOLDER [BUILDER]

The pages keep their places, so that links work on the site as they do on GitHub; README.md is the
start page. BUILDER is one of Sphinx, by default html; linkcheck asks other sites. A warning, such
as of a link to a page or heading that does not exist, is an error. The exit code is that of Sphinx.
"""

import re
import shutil
import sys
from functools import partial
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
START = "README.md"
# The sections of the navigation, and their pages in reading order. Every page is in one.
NAVIGATION = {
    "Start": [
        "new",
    ],
    "Data": ["sources", "data", "leak", "suspects", "augmentation", "imbalance"],
    "Training": ["training", "defaults", "frozen", "sweep", "curves"],
    "Evaluation": ["scores", "compare", "explain", "report", "charts", "pictures"],
    "Using the model": ["export", "predict", "serve", "novelty", "drift", "registry"],
    "Operations": ["systems", "remote", "trouble", "../SECURITY"],
    "Reference": [
        "records",
        "../benchmarks/RESULTS",
        "../benchmarks/COVERAGE",
        "../CONTRIBUTING",
        "../CHANGELOG",
    ],
}
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
TO_START = re.compile(r"\]\(((?:\.\./)*)README\.md")
# A link that shows the name of a file, which a site does not have.
FILE_NAME = re.compile(r"\[[\w./]+\.md\](?=\(([\w./]+\.md)[#)])")
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def pages() -> list[str]:
    """Paths of all pages in the repository, the start page first."""
    listed = (name for names in NAVIGATION.values() for name in names)
    found = [Path("docs", f"{name}.md") for name in listed]
    return [START, *((ROOT / path).resolve().relative_to(ROOT).as_posix() for path in found)]


def linked_files(page: str, text: str) -> list[str]:
    """Paths in the repository of the pictures and files that a page links to, not of pages."""
    folder = PurePosixPath(page).parent
    targets = [target for target in LINK.findall(CODE.sub("", text)) if target[-3:] != ".md"]
    files = [(ROOT / folder / target).resolve() for target in targets]
    return [file.relative_to(ROOT).as_posix() for file in files if file.is_file()]


def titled(page: str, link: re.Match[str]) -> str:
    """The text of a link of a page with the linked page's title in place of its file name."""
    linked = ROOT / PurePosixPath(page).parent / link[1]
    return f"[{linked.read_text('utf-8').partition(chr(10))[0].removeprefix('# ')}]"


def with_navigation(text: str) -> str:
    """The start page with the navigation, which Sphinx takes from its end."""
    names = iter(pages()[1:])
    entries = {
        section: [next(names)[:-3] for _ in listed] for section, listed in NAVIGATION.items()
    }
    entries["Start"] = ["Overview <self>", *entries["Start"]]
    blocks = [
        "\n".join(["```{toctree}", ":hidden:", f":caption: {section}", "", *listed, "```"])
        for section, listed in entries.items()
    ]
    return "\n\n".join([text.rstrip(), *blocks]) + "\n"


def write_sources(folder: Path) -> None:
    """Copy the pages, and the files they link to, into an empty folder for Sphinx."""
    shutil.rmtree(folder, ignore_errors=True)
    for page in pages():
        text = (ROOT / page).read_text("utf-8")
        for file in linked_files(page, text):
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / file, target)
        target = folder / ("index.md" if page == START else page)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = FILE_NAME.sub(partial(titled, page), text)
        text = TO_START.sub(r"](\1index.md", with_navigation(text) if page == START else text)
        target.write_text(text, "utf-8")


def main(folder: str, builder: str = "html") -> int:
    """Build the site below a folder: its sources in `source`, its pages in `html`."""
    from sphinx.cmd.build import build_main

    source, target = Path(folder, "source"), Path(folder, builder)
    write_sources(source)
    shutil.rmtree(target, ignore_errors=True)
    options = ["--fail-on-warning", "--keep-going", "--quiet", "--fresh-env"]
    options += ["-c", str(Path(__file__).parent), "-d", str(Path(folder, "doctrees"))]
    return build_main([*options, "-b", builder, str(source), str(target)])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
