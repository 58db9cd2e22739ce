"""`gruenpuls rule …`: which alert rules there are, whether they do what they say, and what they would have done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
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
    from gruenpuls.jobs.backtest import RuleTrial
    from gruenpuls.queries.rules import RuleState

app = typer.Typer(help="Alert rules: what is watched, and when somebody is told.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
_BARS = " ▁▂▃▄▅▆▇█"


@app.command("list")
def list_rules(context: typer.Context, as_json: Json = False) -> None:
    """List the rules there are, which of them are on, and what the last back-test of each found in this city."""
    from gruenpuls.queries.rules import rule_states
    from gruenpuls.service.rooms import known_rules
    from gruenpuls.service.rule_switch import rules_on

    session: Session = context.obj
    on = {rule.name for rule in rules_on(session.settings, session.registry)}
    states = rule_states(session.registry, known_rules(session.settings), on)
    if as_json:
        print_json(
            [
                {
                    "on": it.on,
                    "backtest": it.backtest and asdict(it.backtest),
                    "backtest_outdated": it.outdated,
                    **it.rule.model_dump(mode="json", by_alias=True),
                }
                for it in states
            ]
        )
        return
    rows = [
        [
            it.rule.name,
            Text("on", style="green") if it.on else Text("available", style="dim"),
            ", ".join(level.severity.name.lower() for level in it.rule.levels),
            ", ".join(dict.fromkeys(watched.quantity for watched in it.rule.watch)),
            ", ".join(kind.value for kind in it.rule.applies_to.kinds) or "every site",
            _last_backtest(it),
        ]
        for it in states
    ]
    print_table("Alert rules", ["rule", "state", "severities", "watches", "applies to", "last back-test"], rows)
    terminal.print(Text("Switch them with `gruenpuls rule on NAME` and `gruenpuls rule off NAME`.", style="dim"))


def _last_backtest(it: RuleState) -> Text:
    kept = it.backtest
    if kept is None:
        return Text("none yet: gruenpuls rule backtest", style="dim")
    span = f"{kept.first_day} to {kept.last_day}"
    if not kept.sites_judged:
        return Text(f"{span}: nothing to judge", style="dim")
    found = f"{kept.incidents} incidents at {kept.sites} of {kept.sites_judged} sites, {kept.messages} messages"
    return Text(f"{span}: {found}{', by an older version of the rule' if it.outdated else ''}")


@app.command()
def on(context: typer.Context, rule: Annotated[str, typer.Argument(help="As `gruenpuls rule list` shows it.")]) -> None:
    """Switch a rule on, whatever file and settings say; what happened in the last weeks is judged at once."""
    _switch(context, rule, on=True)


@app.command()
def off(
    context: typer.Context, rule: Annotated[str, typer.Argument(help="As `gruenpuls rule list` shows it.")]
) -> None:
    """Switch a rule off, whatever file and settings say; what it left open is withdrawn."""
    _switch(context, rule, on=False)


def _switch(context: typer.Context, rule: str, *, on: bool) -> None:
    from gruenpuls.service.rule_switch import switch

    session: Session = context.obj
    switch(session.settings, session.registry, rule, on=on, actor=session.actor)
    terminal.print(f"{rule} is {'on' if on else 'off'}.", markup=False)


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
    """Show what rules would have done with the readings that are stored; only that is kept, for `rule list`."""
    from rich.progress import Progress

    from gruenpuls.jobs.backtest import Backtest
    from gruenpuls.service.notify import policy
    from gruenpuls.service.rooms import expected_intervals
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
        session.readings() as reader,
        Progress(console=complaints, transient=True) as bar,
    ):
        told = policy(session.settings) if session.settings.notify.policy_file is not None else None
        test = Backtest(session.registry, reader, expected_intervals(session.settings), told, zone)
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
    if district is None:
        _keep(session, trials, (first, last))
    if plot is not None:
        _draw(plot, _labelled(trials, rules or []), begin, end, session.settings.time_zone)
    if as_json:
        print_json([_plain(trial, begin, end) for trial in trials])
        return
    _print_trials(_labelled(trials, rules or []), begin, end, session.settings.time_zone)


def _labelled(trials: Sequence[RuleTrial], wanted: Sequence[str]) -> list[tuple[str, RuleTrial]]:
    """Return trials with what tells them apart: two files may hold a rule of one name."""
    names = [Path(name).name for name in wanted] or [trial.rule.name for trial in trials]
    told = names if len(set(names)) == len(names) else wanted
    return [(f"{place} {name}", trial) for place, (name, trial) in enumerate(zip(told, trials, strict=True), 1)]


def _keep(session: Session, trials: Sequence[RuleTrial], days: tuple[date, date]) -> None:
    """Keep what the rules of this city, as they are now, would have done."""
    from gruenpuls.queries.rules import KeptBacktest, keep_backtest
    from gruenpuls.service.rooms import known_rules

    known = {rule.name: rule.digest for rule in known_rules(session.settings)}
    for trial in trials:
        rule, lasted = trial.rule, trial.mean_duration
        if known.get(rule.name) == rule.digest:
            kept = KeptBacktest(
                rule=rule.name,
                digest=rule.digest,
                first_day=days[0].isoformat(),
                last_day=days[1].isoformat(),
                sites_judged=trial.judged,
                incidents=len(trial.incidents),
                sites=trial.sites,
                messages=trial.messages,
                mean_hours=None if lasted is None else lasted / timedelta(hours=1),
            )
            keep_backtest(session.registry, kept, actor=session.actor)


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


def _plain(trial: RuleTrial, begin: datetime, end: datetime) -> dict[str, Any]:
    return {
        "rule": trial.rule.name,
        "digest": trial.rule.digest,
        "sites_judged": trial.judged,
        "sites": trial.sites,
        "messages": trial.messages,
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


def _print_trials(trials: Sequence[tuple[str, RuleTrial]], begin: datetime, end: datetime, zone: str) -> None:
    rows = []
    judged = [(label, trial) for label, trial in trials if trial.judged]
    for label, trial in judged:
        found, lasted = trial.incidents, trial.mean_duration
        rows.append(
            [
                label,
                trial.judged,
                len(found),
                trial.sites,
                trial.messages,
                local(found[0].began_at if found else None, zone),
                local(found[-1].began_at if found else None, zone),
                None if lasted is None else round(lasted / timedelta(days=1), 1),
            ]
        )
    heads = ["rule", "sites judged", "incidents", "sites", "messages", "first", "last", "mean days"]
    print_table(
        f"What rules would have done, {local(begin, zone)[:10]} to {local(end - timedelta(days=1), zone)[:10]}",
        heads,
        rows,
    )
    idle = [trial.rule.name for _, trial in trials if not trial.judged]
    if idle:
        terminal.print(Text(f"Without a reading to judge: {', '.join(idle)}", style="dim"))
    terminal.print("Sites at which each fires, week by week:")
    width = max((len(label) for label, _ in judged), default=0)
    for label, trial in judged:
        weeks = _weekly(trial.firing_by_day(begin, end))
        most = max(weeks, default=0)
        drawn = "".join(_BARS[-(-week * (len(_BARS) - 1) // most)] if most else _BARS[0] for week in weeks)
        terminal.print(Text(f"  {label:<{width}} │{drawn}│ at most {most}"))


def _draw(file: Path, trials: Sequence[tuple[str, RuleTrial]], begin: datetime, end: datetime, zone: str) -> None:
    import numpy as np

    from gruenpuls.plots.trials import Strip, trials_plot

    strips = [Strip(label, trial.firing_by_day(begin, end)) for label, trial in trials if trial.judged]
    if not strips:
        raise InputError(what="no rule had a reading to judge", where="--plot", remedy="choose another span")
    first = np.datetime64(begin.astimezone(ZoneInfo(zone)).date(), "D")
    days = first + np.arange(len(strips[0].firing))
    title = f"{local(begin, zone)[:10]} – {local(end - timedelta(days=1), zone)[:10]}"
    file.write_bytes(trials_plot(title, days, strips, file.suffix.lower().removeprefix(".")))


def _weekly(days: Sequence[int]) -> list[int]:
    return [max(days[start : start + 7]) for start in range(0, len(days), 7)]
