"""`trackbed recipe`: write params.yaml with the settings of a recipe."""

import argparse
import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from trackbed.pipeline.errors import UserError

if TYPE_CHECKING:
    import yaml

FOLDER = Path("recipes")
# The line of a recipe's header that names it, in params.yaml too.
COMMAND = re.compile(r"^# command: trackbed recipe (\w+)", re.MULTILINE)
# The first line of params.yaml, by which editors find its schema.
MODELINE = re.compile(r"# yaml-language-server:.*\n")

HELP = "write params.yaml with the settings of a recipe, or list the recipes"
DESCRIPTION = """\
Write params.yaml: the committed one with its comments, the recipe's values in place of its own,
and the recipe's header (command, data, time, score) on top. Without NAME, list the recipes.

Uncommitted changes of params.yaml are kept: the command refuses to overwrite them without
--force. Recipes do not add up: if the committed params.yaml comes from another recipe, name a
commit before that one with --base."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one of the listed recipes")
    parser.add_argument(
        "--base",
        default="HEAD",
        metavar="REV",
        help="commit whose params.yaml gets the recipe's values; default: %(default)s",
    )
    parser.add_argument(
        "--force", action="store_true", help="discard uncommitted changes of params.yaml"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write params.yaml, or print the recipes. Raises UserError."""
    if arguments.name is None:
        print(listing())
        return
    from trackbed.pipeline import params
    from trackbed.pipeline.outputs import replacing

    path = recipe_path(arguments.name)
    base = _committed_params(arguments.base, force=arguments.force)
    _refuse_another_recipe(base, arguments.name, arguments.base)
    with replacing(params.PARAMS) as temporary:
        text = with_recipe(base, path.read_text(encoding="utf-8"), path)
        temporary.write_text(text, encoding="utf-8", newline="\n")
    print(f"{params.PARAMS}: now has the values of {path}. Check data.source, then `dvc repro`.")


def listing() -> str:
    """A line per recipe: its name and the first line of its header."""
    titles = {path.stem: path.read_text(encoding="utf-8").partition("\n")[0] for path in _paths()}
    width = max(map(len, titles))
    return "\n".join(f"{name:{width}}  {title.lstrip('# ')}" for name, title in titles.items())


def recipe_path(name: str) -> Path:
    """The file of a recipe. Raises UserError for an unknown name."""
    paths = {path.stem: path for path in _paths()}
    if name in paths:
        return paths[name]
    close = difflib.get_close_matches(name, paths, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(paths)}."
    raise UserError(f"no recipe '{name}'. {hint}")


def with_recipe(base: str, recipe: str, path: Path) -> str:
    """The text of a params file with the values and the header of a recipe.

    base: a whole params file; its comments stay, but for those inside a replaced value. recipe:
    the text of an overlay, which is at `path`. Both are sections of keys in block style.
    Raises UserError for a section or key that the base does not have.
    """
    modeline = found[0] if (found := MODELINE.match(base)) else ""
    base = base.removeprefix(modeline)
    body = base.removeprefix(_header(base)).lstrip("\n")
    values, places = _values(recipe), _values(body)
    for section, key in values:
        if (section, key) not in places:
            raise UserError(f"{path}, {section}: params.yaml has no key '{key}'.")
    # From the end, so that earlier places stay valid.
    for name in sorted(values, key=lambda one: places[one].start, reverse=True):
        value, place = values[name], places[name]
        body = body[: place.start] + recipe[value.start : value.stop] + body[place.stop :]
    header = _header(recipe)
    return f"{modeline}{header}\n{body}" if header else f"{modeline}{body}"


def _paths() -> list[Path]:
    paths = sorted(FOLDER.glob("*.yaml"))
    if not paths:
        raise UserError(f"{FOLDER}: no recipes here. Run from the root of the repository.")
    return paths


def _committed_params(revision: str, *, force: bool) -> str:
    """The params.yaml of a commit. Raises UserError where the one on disk has other changes."""
    from trackbed.integrity import git
    from trackbed.pipeline.params import PARAMS

    untracked, modified = git.uncommitted()
    if str(PARAMS) in (*untracked, *modified) and not force:
        raise UserError(
            f"{PARAMS}: has uncommitted changes. Commit them, or use --force to discard them."
        )
    (content,) = git.file_contents([(git.commit(revision), str(PARAMS))])
    if content is None:
        raise UserError(f"{PARAMS}: commit {revision} has no such file. Name another with --base.")
    return content.decode("utf-8")


def _refuse_another_recipe(base: str, name: str, revision: str) -> None:
    earlier = COMMAND.search(_header(base))
    if earlier and earlier[1] != name:
        raise UserError(
            f"params.yaml: at {revision} it has the values of recipe '{earlier[1]}', which would "
            f"remain. Name a commit before that with --base; `git log params.yaml` lists them."
        )


def _header(text: str) -> str:
    """The comment lines above the first empty line if they are those of a recipe, else ''."""
    header = text.partition("\n\n")[0] + "\n"
    return header if COMMAND.search(header) else ""


def _values(text: str) -> dict[tuple[str, str], slice]:
    """Where the value of every section and key stands in a YAML text, from its colon on."""
    import yaml

    root = yaml.compose(text)
    return {
        (section.value, key.value): slice(key.end_mark.index, _end(value))
        for section, keys in root.value
        for key, value in keys.value
    }


def _end(node: "yaml.Node") -> int:
    """Where a node ends; that of a block includes the comments which follow it."""
    if isinstance(node.value, list) and node.value and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.index
