"""`gruenpuls settings`: what can be set, what it is now, and whether it holds."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gruenpuls.cli.output import print_json, print_table
from gruenpuls.cli.session import Session

app = typer.Typer(help="What can be set, and what it is set to.", invoke_without_command=True)


def _rows(values: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], prefix: str = "") -> list[list[str]]:
    rows = []
    for key, value in values.items():
        part = schema.get("properties", {}).get(key, {})
        inner = root["$defs"].get(part["$ref"].rsplit("/", 1)[1], {}) if "$ref" in part else {}
        if isinstance(value, dict) and inner:
            rows += _rows(value, inner, root, f"{prefix}{key}.")
        else:
            rows.append([prefix + key, str(value), part.get("description", "")])
    return rows


@app.callback()
def show(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False
) -> None:
    """List every setting with its present value; wrong ones are named with their key."""
    from gruenpuls.service.soil import limit_table

    session: Session = context.obj
    limit_table(session.settings)  # names a wrong row, which only what judges by it knows
    values = session.settings.model_dump(mode="json")
    if as_json:
        print_json(values)
        return
    schema = type(session.settings).model_json_schema()
    print_table("Settings", ["key", "value", "meaning"], _rows(values, schema, schema))
