"""Configuration of Sphinx for the documentation site; see build.py."""

import tomllib
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]

project = "Trackbed"
release = _PROJECT["version"]
project_copyright = _PROJECT["authors"][0]["name"]
language = "en"

extensions = ["myst_parser", "sphinx_copybutton"]
root_doc = "index"
nitpicky = True
# Anchors of headings as GitHub makes them.
myst_heading_anchors = 4
# A block without a language is text.
highlight_language = "text"
# Straight quotes, and `--` as written: most are options of commands.
smartquotes = False

html_theme = "furo"
html_title = "Trackbed"
html_favicon = str(_ROOT / "stages/trackbed/serving/static/icon.svg")
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}

# `$ ` before a command and what it prints are not copied; a line that ends with \ goes on.
copybutton_prompt_text = "$ "
copybutton_line_continuation_character = "\\"

# For `make docs-links` alone: addresses that stand for the reader's own.
linkcheck_ignore = [r"https?://(127\.0\.0\.1|localhost)", r"https?://[\w.-]*example\.(com|org)"]
linkcheck_timeout = 20
