"""`gruenpuls gap …`: what a source missed, fetched from where the network keeps it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gruenpuls.cli.output import print_json, print_table, shown, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError

if TYPE_CHECKING:
    from ingest.backfill_fetch import NotNowError

app = typer.Typer(help="What a source missed, and the network still has.", no_args_is_help=True)


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


@app.command("list")
def list_gaps(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """List the gaps still to be closed, and those closed last, the latest first."""
    from gruenpuls.service.gaps import gap_orders
    from ingest.backfill_orders import order_key

    session: Session = context.obj
    noted = {gap.source: gap_orders(gap, session.settings) for gap in session.settings.gaps}
    waiting = [(order_key(path), source, span) for source, orders in noted.items() for path, span in orders.open()]
    closed = sorted(
        ((source, gap) for source, orders in noted.items() for gap in orders.closed()),
        key=lambda entry: entry[1].closed_at,
        reverse=True,
    )
    if as_json:
        print_json(
            {
                "to_close": [
                    {"key": key, "source": source, "from": span.start, "to": span.end} for key, source, span in waiting
                ],
                "closed": [
                    {
                        "source": source,
                        "from": gap.span.start,
                        "to": gap.span.end,
                        "uplinks": gap.uplinks,
                        "closed_at": gap.closed_at,
                    }
                    for source, gap in closed
                ],
            }
        )
        return
    rows = [[key, source, span.start, span.end] for key, source, span in waiting]
    print_table("Gaps to close", ["key", "source", "from", "to"], rows)
    rows = [[source, gap.span.start, gap.span.end, gap.uplinks, gap.closed_at] for source, gap in closed]
    print_table("Gaps closed", ["source", "from", "to", "uplinks", "closed"], rows)


@app.command()
def drop(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Of the gap, as `gruenpuls gap list` shows it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Give up a gap that cannot be closed, such as one older than what the network keeps."""
    from gruenpuls.service.gaps import gap_orders
    from ingest.backfill_orders import order_key

    session: Session = context.obj
    for gap in session.settings.gaps:
        orders = gap_orders(gap, session.settings)
        for path, span in orders.open():
            if order_key(path) == key:
                orders.drop(path)
                if as_json:
                    print_json({"dropped": {"source": gap.source, "from": span.start, "to": span.end}})
                else:
                    terminal.print(f"Given up: {gap.source}, {shown(span.start)} to {shown(span.end)}.", markup=False)
                return
    raise InputError(what=f"no gap to close has the key {key!r}", where="KEY", remedy="see `gruenpuls gap list`")


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
