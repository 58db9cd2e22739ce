"""`gruenpuls rule …`: which alert rules there are, whether they do what they say, and what they would have done."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from gruenpuls.cli.output import complaints, local, print_json, print_table, terminal
from gruenpuls.cli.session import Session
from gruenpuls.domain.errors import InputError

if TYPE_CHECKING:
    from alerts.rule import Rule
    from gruenpuls.domain.site import Site
    from gruenpuls.jobs.backtest import RuleTrial

app = typer.Typer(help="Alert rules: what is watched, and when somebody is told.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
_BARS = " ▁▂▃▄▅▆▇█"


@app.command("list")
def list_rules(context: typer.Context, as_json: Json = False) -> None:
    """List the rules there are, and which of them are on."""
    from gruenpuls.service.rooms import alert_rules, known_rules

    session: Session = context.obj
    on = {rule.name for rule in alert_rules(session.settings)}
    rules = known_rules(session.settings)
    if as_json:
        print_json([{"on": rule.name in on, **rule.model_dump(mode="json", by_alias=True)} for rule in rules])
        return
    rows = [
        [
            rule.name,
            Text("on", style="green") if rule.name in on else Text("available", style="dim"),
            ", ".join(level.severity.name.lower() for level in rule.levels),
            ", ".join(dict.fromkeys(watched.quantity for watched in rule.watch)),
            ", ".join(kind.value for kind in rule.applies_to.kinds) or "every site",
        ]
        for rule in rules
    ]
    print_table("Alert rules", ["rule", "state", "severities", "watches", "applies to"], rows)


@app.command("test")
def run_examples(
    context: typer.Context,
    rules: Annotated[
        list[str] | None, typer.Argument(help="Names or YAML files; by default every rule there is.")
    ] = None,
) -> None:
    """Run the examples that rules carry; ends with 1 where one does not come out as it says."""
    from alerts.example import unexpected

    session: Session = context.obj
    failed = 0
    for rule in _chosen(session, rules or []):
        faults = unexpected(rule)
        failed += bool(faults)
        told = Text("as it says", style="green") if not faults else Text("not as it says", style="bold red")
        terminal.print(Text(f"{rule.name}: {len(rule.examples)} examples, ").append_text(told))
        for fault in faults:
            terminal.print(Text(f"  {fault}", style="red"))
    if failed:
        raise typer.Exit(1)


@app.command()
def backtest(
    context: typer.Context,
    rules: Annotated[
        list[str] | None,
        typer.Argument(help="Names or YAML files, compared side by side; by default every rule there is."),
    ] = None,
    from_day: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day; by default a year back.")
    ] = None,
    to_day: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; by default today.")
    ] = None,
    district: Annotated[str | None, typer.Option(help="Only this district.")] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the season, too: a .svg or .png file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what rules would have done with the readings that are stored; changes nothing."""
    from rich.progress import Progress

    from gruenpuls.jobs.backtest import Backtest
    from gruenpuls.service.rooms import expected_intervals, reading_store
    from gruenpuls.stores.registry.places import SiteFilter

    session: Session = context.obj
    if plot is not None and plot.suffix.lower() not in {".svg", ".png"}:
        raise InputError(what=f"{plot.name} is no picture", where="--plot", remedy="name a .svg or .png file")
    zone = ZoneInfo(session.settings.time_zone)
    today = session.now().astimezone(zone).date()
    last = to_day.date() if to_day else today
    first = from_day.date() if from_day else last - timedelta(days=365)
    if last < first:
        raise InputError(what=f"{last} is before {first}", where="--to", remedy="give the earlier day to --from")
    begin, end = (datetime.combine(day, time(), zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    tried = _chosen(session, rules or [])
    sites = session.registry.places.list(SiteFilter(district=district))
    trials: list[RuleTrial] = []
    with (
        closing(reading_store(session.settings, session.registry.judgements)) as reader,
        Progress(console=complaints, transient=True) as bar,
    ):
        test = Backtest(session.registry, reader, expected_intervals(session.settings))
        for rule in tried:
            task = bar.add_task(rule.name, total=len(sites))
            trials.append(
                test.trial(
                    rule,
                    sites,
                    begin,
                    end,
                    lambda done, total, task=task: bar.update(task, completed=done, total=total),  # type: ignore[misc]  # a default binds it
                )
            )
    named = {site.key: site for site in sites}
    if plot is not None:
        _draw(plot, trials, begin, end, session.settings.time_zone)
    if as_json:
        print_json([_plain(trial, named, begin, end) for trial in trials])
        return
    _print_trials(trials, named, begin, end, session.settings.time_zone)


def _chosen(session: Session, wanted: Sequence[str]) -> list[Rule]:
    """Return rules by name or file; all there are where nothing was asked for.

    Raises
    ------
    InputError
        If there is none of a name.
    """
    from alerts.rule_file import read_rule
    from gruenpuls.service.rooms import known_rules

    known = {rule.name: rule for rule in known_rules(session.settings)}
    if not wanted:
        return list(known.values())
    unknown = [name for name in wanted if not name.endswith((".yaml", ".yml")) and name not in known]
    if unknown:
        remedy = f"there are {', '.join(known)}; a file ends in .yaml"
        raise InputError(what=f"there is no rule {unknown[0]!r}", where="RULES", remedy=remedy)
    return [known[name] if name in known else read_rule(Path(name)) for name in wanted]


def _plain(trial: RuleTrial, sites: dict[str, Site], begin: datetime, end: datetime) -> dict[str, Any]:
    return {
        "rule": trial.rule.name,
        "digest": trial.rule.digest,
        "sites_judged": trial.judged,
        "sites": trial.sites,
        "messages": trial.digests(sites),
        "mean_duration_hours": trial.mean_duration and trial.mean_duration / timedelta(hours=1),
        "firing_by_day": trial.firing_by_day(begin, end),
        "incidents": [
            {
                "site": incident.site,
                "severity": incident.severity.name.lower(),
                "began_at": incident.began_at,
                "fired_at": incident.fired_at,
                "resolved_at": incident.resolved_at,
                "peak": incident.peak,
            }
            for incident in trial.incidents
        ],
    }


def _print_trials(
    trials: Sequence[RuleTrial], sites: dict[str, Site], begin: datetime, end: datetime, zone: str
) -> None:
    rows = []
    numbered = [(place, trial) for place, trial in enumerate(trials, 1) if trial.judged]
    for place, trial in numbered:
        found, lasted = trial.incidents, trial.mean_duration
        rows.append(
            [
                place,
                trial.rule.name,
                trial.judged,
                len(found),
                trial.sites,
                trial.digests(sites),
                local(found[0].began_at if found else None, zone),
                local(found[-1].began_at if found else None, zone),
                None if lasted is None else round(lasted / timedelta(days=1), 1),
            ]
        )
    heads = ["#", "rule", "sites judged", "incidents", "sites", "messages", "first", "last", "mean days"]
    print_table(
        f"What rules would have done, {local(begin, zone)[:10]} to {local(end - timedelta(days=1), zone)[:10]}",
        heads,
        rows,
    )
    idle = [trial.rule.name for trial in trials if not trial.judged]
    if idle:
        terminal.print(Text(f"Without a reading to judge: {', '.join(idle)}", style="dim"))
    terminal.print("Sites at which each fires, week by week:")
    for place, trial in numbered:
        weeks = _weekly(trial.firing_by_day(begin, end))
        most = max(weeks, default=0)
        drawn = "".join(_BARS[-(-week * (len(_BARS) - 1) // most)] if most else _BARS[0] for week in weeks)
        terminal.print(Text(f"  {place:>2} │{drawn}│ at most {most}"))


def _draw(file: Path, trials: Sequence[RuleTrial], begin: datetime, end: datetime, zone: str) -> None:
    import numpy as np

    from gruenpuls.plots.trials import Strip, trials_plot

    strips = [
        Strip(f"{place} {trial.rule.name}", trial.firing_by_day(begin, end))
        for place, trial in enumerate(trials, 1)
        if trial.judged
    ]
    if not strips:
        raise InputError(what="no rule had a reading to judge", where="--plot", remedy="choose another span")
    first = np.datetime64(begin.astimezone(ZoneInfo(zone)).date(), "D")
    days = first + np.arange(len(strips[0].firing))
    title = f"{local(begin, zone)[:10]} – {local(end - timedelta(days=1), zone)[:10]}"
    file.write_bytes(trials_plot(title, days, strips, file.suffix.lower().removeprefix(".")))


def _weekly(days: Sequence[int]) -> list[int]:
    return [max(days[start : start + 7]) for start in range(0, len(days), 7)]
