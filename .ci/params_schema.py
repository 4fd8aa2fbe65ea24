"""Write params.schema.json, by which editors complete, explain and check params.yaml.

Usage: python .ci/params_schema.py [--check]

Types, bounds and choices come from the pydantic model of each section, descriptions from the
comments in params.yaml. --check writes nothing, and exits with 1 if the file is not up to date.
"""

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "stages"))

from pydantic.json_schema import GenerateJsonSchema  # noqa: E402

from trackbed.evaluation.comparison import GateParams  # noqa: E402
from trackbed.pipeline.params import Section, sections  # noqa: E402

FILE = ROOT / "params.schema.json"
PARAMS = ROOT / "params.yaml"
KEY = re.compile(r"(?:  )?(\w+):")


class Generator(GenerateJsonSchema):
    """JSON Schema of a model as YAML is written: text may be a whole number without quotes."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: the title would repeat the key."""
        return False

    def str_schema(self, schema: Any) -> dict[str, Any]:
        """Text; `classes: [0, 1]` and `unfreeze: 30` are text too, see `params`."""
        return super().str_schema(schema) | {"type": ["string", "integer"]}


def models() -> dict[str, type[Section]]:
    """Section -> its model: `SplitParams` of a stage script for `split`, and so on."""
    found: dict[str, Any] = {"GateParams": GateParams}
    for script in sorted((ROOT / "stages").glob("*.py")):
        found |= runpy.run_path(str(script))
    names = {section: f"{section.capitalize()}Params" for section in sections(PARAMS)}
    if missing := [name for name in names.values() if name not in found]:
        sys.exit(f"params.yaml: no script in stages/ defines {', '.join(missing)}.")
    return {section: found[name] for section, name in names.items()}


def comments(text: str) -> dict[str, str]:
    """Section, or section and key with a dot, -> the comment above it in params.yaml."""
    found: dict[str, str] = {}
    section, lines = "", []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            lines.append(line.lstrip("# "))
            continue
        if key := KEY.match(line):
            section = section if line[0] == " " else key[1]
            found[f"{section}.{key[1]}" if line[0] == " " else section] = " ".join(lines)
        lines = []
    return {place: comment for place, comment in found.items() if comment}


def schema() -> dict[str, Any]:
    """The whole schema, of draft 7, which editors know best."""
    explained, properties, definitions = comments(PARAMS.read_text("utf-8")), {}, {}
    for section, model in models().items():
        found = model.model_json_schema(schema_generator=Generator)
        definitions |= found.pop("$defs", {})
        for key, value in found["properties"].items():
            # A key that params.yaml does not have is one of an older version.
            comment = explained.get(f"{section}.{key}")
            meaning = {"description": comment} if comment else {"deprecated": True}
            found["properties"][key] = {**meaning, **value}
        found["description"] = explained[section]
        del found["title"]
        properties[section] = found
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
        "$defs": definitions,
    }


def main(*arguments: str) -> int:
    """Write or check the file; the exit code."""
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    if arguments == ("--check",):
        fresh = FILE.is_file() and FILE.read_text("utf-8") == text
        if not fresh:
            print(f"{FILE.name}: not up to date. Run: make schema", file=sys.stderr)
        return 0 if fresh else 1
    if arguments:
        sys.exit(__doc__)
    FILE.write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
