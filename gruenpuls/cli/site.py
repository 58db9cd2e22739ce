"""`gruenpuls site …`: the places that are looked after."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from gruenpuls.cli import site_water
from gruenpuls.cli.output import complaints, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.cli.table_file import rows_of
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.row import planted_on as planting
from gruenpuls.domain.row import site_from_row, unknown_headings
from gruenpuls.domain.site import Site, SiteKind, Soil

app = typer.Typer(help="The places that are looked after: trees, roofs, stations.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
_STYLES = {"add": "green", "change": "yellow", "unchanged": "dim", "error": "bold red"}


@app.command("list")
def list_sites(
    context: typer.Context,
    kind: Annotated[SiteKind | None, typer.Option(help="Only this kind.")] = None,
    district: Annotated[str | None, typer.Option(help="Only this district.")] = None,
    municipality: Annotated[str | None, typer.Option(help="Only this municipality.")] = None,
    text: Annotated[str | None, typer.Option(help="Part of key, name or species.")] = None,
    as_json: Json = False,
) -> None:
    """List the registered sites."""
    from gruenpuls.stores.registry.places import SiteFilter

    session: Session = context.obj
    sites = session.registry.places.list(SiteFilter(kind, district, municipality, text))
    if as_json:
        print_json([asdict(site) for site in sites])
        return
    rows = [
        [site.key, site.name, site.kind.value, site.district, site.species, site.planted_on, site.soil.texture]
        for site in sites
    ]
    print_table("Sites", ["key", "name", "kind", "district", "species", "planted", "soil"], rows)


@app.command()
def add(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Official key, or the city's own.")],
    kind: Annotated[SiteKind, typer.Option(help="What it is.")],
    name: Annotated[str, typer.Option(help="What people call it; by default its key.")] = "",
    latitude: Annotated[float | None, typer.Option(help="WGS 84 [°].")] = None,
    longitude: Annotated[float | None, typer.Option(help="WGS 84 [°].")] = None,
    municipality: Annotated[str | None, typer.Option(help="Municipality.")] = None,
    district: Annotated[str | None, typer.Option(help="District.")] = None,
    species: Annotated[str | None, typer.Option(help="Botanical name.")] = None,
    planted_on: Annotated[str | None, typer.Option(help="Year or date of planting.")] = None,
    texture: Annotated[str | None, typer.Option(help="German KA5 texture class, or a substrate.")] = None,
    field_capacity: Annotated[float | None, typer.Option(help="Water content at pF 1.8 [%].")] = None,
    wilting_point: Annotated[float | None, typer.Option(help="Water content at pF 4.2 [%].")] = None,
    root_depth: Annotated[float | None, typer.Option(help="Depth of the root zone [m].")] = None,
) -> None:
    """Register a site."""
    session: Session = context.obj
    site = Site(
        key=key,
        name=name or key,
        kind=kind,
        latitude=latitude,
        longitude=longitude,
        municipality=municipality,
        district=district,
        species=species,
        planted_on=planting(planted_on) if planted_on else None,
        time_zone=session.settings.time_zone,
        soil=Soil(texture, field_capacity, wilting_point, root_depth),
    )
    session.registry.places.add(site, actor=session.actor)
    terminal.print(f"Registered {key}.")


@app.command("import")
def import_sites(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="CSV with a heading line; German or English headings.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Take over a table of sites: all rows, or none if one is wrong."""
    from gruenpuls.stores.registry.imports import Verdict

    session: Session = context.obj
    rows = rows_of(table)
    parsed: list[Site | InputError] = []
    for row in rows:
        try:
            parsed.append(site_from_row(row, session.settings.time_zone))
        except InputError as error:
            parsed.append(error)
    imports = session.registry.imports
    plan = imports.plan_sites(parsed)
    wrong = plan.count(Verdict.ERROR)
    counts = {verdict.value: plan.count(verdict) for verdict in Verdict}
    extra = unknown_headings(rows[0]) if rows else []
    if as_json:
        told = [
            {"row": it.row, "key": it.key, "verdict": it.verdict, "changes": dict(it.changes), "problem": it.problem}
            for it in plan.rows
        ]
        print_json({"counts": counts, "kept_as_attributes": extra, "rows": told, "dry_run": dry_run})
    else:
        shown = [it for it in plan.rows if it.verdict is not Verdict.UNCHANGED]
        print_table(
            f"{table.name}: what {'would happen' if dry_run or wrong else 'happens'}",
            ["row", "key", "verdict", "what"],
            [
                [
                    it.row,
                    it.key,
                    Text(it.verdict.value, style=_STYLES[it.verdict.value]),
                    it.problem or _changes(it.changes),
                ]
                for it in shown[:200]
            ],
        )
        if len(shown) > 200:  # noqa: PLR2004 - a screenful or ten; --json tells them all
            terminal.print(f"… and {len(shown) - 200} more rows; --json lists all.")
        if extra:
            terminal.print(f"Kept as attributes: {', '.join(extra)}")
        terminal.print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    if wrong:
        what = f"{wrong} of {len(rows)} rows cannot be taken over, so none was"
        raise InputError(what, where=str(table), remedy="mend the rows named above and run it again")
    if not dry_run:
        imports.apply_sites(parsed, source=table.name, actor=session.actor)
        complaints.print(f"Imported {table.name}.")


def _changes(changes: object) -> str:
    if not isinstance(changes, dict):
        return ""
    return "; ".join(f"{field}: {before} → {after}" for field, (before, after) in changes.items())


site_water.add_to(app)
