"""`gruenpuls gap …`: what a source missed, fetched from where the network keeps it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gruenpuls.cli.output import print_json, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError

if TYPE_CHECKING:
    from ingest.backfill_fetch import NotNowError

app = typer.Typer(help="What a source missed, and the network still has.", no_args_is_help=True)


@app.callback()
def gap() -> None:
    """Say what the commands are about; without it a lone command would take the group's name."""


@app.command()
def close(
    context: typer.Context,
    source: Annotated[str, typer.Option(help="Name of the source, with a [[gaps]] table.")],
    start: Annotated[str, typer.Option("--from", help="ISO 8601, UTC unless it says otherwise.")],
    end: Annotated[str | None, typer.Option("--to", help="The same; by default now.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask the network how many there are, keep none.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Have the collecting process fetch what came in a span; what is there already is counted as a duplicate."""
    from gruenpuls.domain.clock import wall_clock
    from gruenpuls.service.gaps import gap_address, gap_keeper, gap_orders, gap_source
    from ingest.backfill import Span
    from ingest.backfill_fetch import pages

    session: Session = context.obj
    setting = gap_source(session.settings, source)
    span = Span(_moment(start, "--from"), _moment(end, "--to") if end else wall_clock())
    if span.start >= span.end:
        what = "the span ends before it begins"
        raise InputError(what, where="--from, --to", remedy="name an earlier moment with --from")
    if dry_run:
        with terminal.status("Asking the network …"):
            found = pages(gap_address(setting), gap_keeper(setting), span, _give_up)
            count = sum(len(messages) for messages in found)
        print_json({"would_fetch": count}) if as_json else terminal.print(f"Would fetch {count} uplinks.")
        return
    gap_orders(setting, session.settings).place(span)
    if as_json:
        print_json({"ordered": {"source": source, "from": span.start, "to": span.end}})
        return
    terminal.print("Ordered: the collecting process fetches them, now or when it next runs. `gruenpuls status` tells.")


def _give_up(error: NotNowError, _wait: float) -> bool:
    raise error


def _moment(written: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        what = f"{written!r} is no moment"
        raise InputError(
            what, where=option, remedy="write it like 2026-07-01T12:00 or 2026-07-01T12:00+02:00"
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
