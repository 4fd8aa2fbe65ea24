"""The description of the interface as a page that needs no script and no other file."""

from __future__ import annotations

import html
import json
from typing import Any


def page(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document."""
    info = document["info"]
    operations = [
        _operation(path, method, item[method], item.get("parameters", []))
        for path, item in document["paths"].items()
        for method in ("get", "post")
        if method in item
    ]
    schemas = "".join(
        f"<h3 id='{_text(name)}'>{_text(name)}</h3><pre>{_text(json.dumps(schema, indent=2))}</pre>"
        for name, schema in document["components"]["schemas"].items()
        if schema
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(info['title'])}: interface</title>"
        '<link rel="stylesheet" href="/static/page.css"></head><body><main>'
        f"<h1>{_text(info['title'])} {_text(info['version'])}</h1>"
        f"<p>{_text(info['description'])} "
        '<a href="/openapi.json">openapi.json</a> · <a href="/">drop pictures</a></p>'
        f"{''.join(operations)}<h2>Schemas</h2>{schemas}</main></body></html>"
    )


def _operation(
    path: str, method: str, operation: dict[str, Any], shared: list[dict[str, Any]]
) -> str:
    parameters = [*shared, *operation.get("parameters", [])]
    parts = [
        f"<section class='operation'><h2><span class='method'>{method.upper()}</span> "
        f"<code>{_text(path)}</code></h2><p>{_text(operation['summary'])}.</p>"
    ]
    if "description" in operation:
        parts.append(f"<p>{_text(operation['description'])}</p>")
    if parameters:
        rows = [
            (one["name"], one["in"], one.get("description", one["schema"].get("type", "")))
            for one in parameters
        ]
        parts.append(_table(("Parameter", "In", ""), rows))
    if "requestBody" in operation:
        kinds = operation["requestBody"]["content"]
        rows = [(kind, _schema_name(content)) for kind, content in kinds.items()]
        parts.append(_table(("Body", "Schema"), rows))
    rows = [
        (status, response["description"], _schema_name(*response.get("content", {}).values()))
        for status, response in operation["responses"].items()
    ]
    return "".join([*parts, _table(("Status", "Meaning", "Schema"), rows), "</section>"])


def _schema_name(*contents: dict[str, Any]) -> str:
    schemas = [content.get("schema", {}) for content in contents]
    names = [schema.get("$ref", "").rpartition("/")[2] for schema in schemas]
    return next((name for name in names if name and name != "Any"), "")


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th scope='col'>{_text(name)}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{_text(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='scroll'>{table}</div>"


def _text(value: str) -> str:
    return html.escape(value)
