"""Fill a template and write what it gives."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from trackbed.outputs import replacing
from trackbed.telling import wording

TEMPLATES = Path(__file__).parent / "templates"
SCRIPT = "report.js"


def environment(**options: Any) -> jinja2.Environment:
    """The templates of this package, with the words of `wording` as filters."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    words = (wording.name, wording.share, wording.percent, wording.count, wording.duration)
    made.filters |= {word.__name__: word for word in (*words, wording.signed, wording.number)}
    made.globals["plural"] = wording.plural
    return made


def script() -> dict[str, Any]:
    """The script that sorts, filters and enlarges, and its hash for a Content-Security-Policy."""
    text = (TEMPLATES / SCRIPT).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return {"script": Markup(text), "script_hash": f"sha256-{digest}"}


def write(
    path: Path, environment: jinja2.Environment, template: str, content: dict[str, Any]
) -> None:
    """Write the filled template as UTF-8."""
    text = environment.get_template(template).render(content)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
