"""How well the outlook holds on measured soil water: the table of docs/forecast.md.

Run ``GRUENPULS_REAL_DATA=… python benchmarks/outlook_hindcast.py``. Two beech stands (Weierbach, Luxembourg;
cojacoo/rootwater, MIT), every start between mid-April and November 2017, the balance with its probes up to that day.
No forecast of those days is kept anywhere: the weather to come is either the one measured, which a perfect forecast
would have told, or the usual one, as without a forecast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest import mock

import numpy as np
from water_balance_proof import STANDS, WEEK, Stand, real_data

from gruenpuls.domain.processor import Array
from processors.water import outlook as module
from processors.water.bucket import State
from processors.water.fleet_outlook import fleet_outlook
from processors.water.futures import COUNT
from processors.water.outlook import HORIZON
from processors.water.water_balance import WATER_BALANCE
from processors.water.weather_ahead import HourlyForecast, WeatherAhead, weather_ahead

AHEAD = (1, 3, 7, 10)
LATITUDE = 49.8


def usual(stand: Stand, first: int) -> WeatherAhead:
    """Return the usual weather of the days from one on."""
    begin = stand.steps[first]
    midnights = begin + np.arange(HORIZON + 1) * np.timedelta64(1, "D")
    return weather_ahead(
        HourlyForecast.nothing(np.array([LATITUDE])), midnights[:-1].astype("datetime64[D]"), midnights
    )


def as_measured(values: Array) -> Callable[[WeatherAhead], Array]:
    """Return what gives every future the same values, one a day."""
    return lambda _: np.broadcast_to(values[None, :, None], (COUNT, len(values), 1))


def hindcast(stand: Stand, *, perfect: bool) -> dict[int, tuple[int, float, float, float]]:
    """Return by days ahead: starts, bias, root mean square error, and share between P10 and P90, in % nFK."""
    length = len(stand.measured)
    fleet = stand.fleet(stand.available[:, None, :].copy(), slice(0, length))
    found = WATER_BALANCE.compute(fleet)
    states = [found[output.quantity, output.statistic] for output in WATER_BALANCE.carries]
    truth = np.clip(100 * (1 + (stand.measured - stand.full) / stand.capacity), 0, None)
    differences: dict[int, list[float]] = {ahead: [] for ahead in AHEAD}
    inside: dict[int, list[bool]] = {ahead: [] for ahead in AHEAD}
    columns = dict(fleet.attributes)
    for start in range(WEEK, length - HORIZON):
        days = slice(start + 1, start + 1 + HORIZON)
        weather = usual(stand, start + 1)
        rain, demand = stand.rain[days], stand.reference[days]
        if np.isnan(rain).any() or np.isnan(demand).any():
            continue
        state = State(*(values[start] for values in states))
        place, limits = np.zeros(1, np.int64), np.full((1, 1), 50.0)
        if perfect:
            weather = replace(weather, air_temperature=stand.temperature[days][:, None])
            with (
                mock.patch.object(module, "rains", as_measured(rain)),
                mock.patch.object(module, "demands", as_measured(demand)),
            ):
                band = fleet_outlook(columns, state, weather, place, limits).available_water
        else:
            band = fleet_outlook(columns, state, weather, place, limits).available_water
        for ahead in AHEAD:
            measured = truth[start + ahead]
            differences[ahead].append(band.middle[ahead - 1, 0] - measured)
            inside[ahead].append(bool(band.low[ahead - 1, 0] <= measured <= band.high[ahead - 1, 0]))
    return {
        ahead: (
            len(inside[ahead]),
            float(np.mean(differences[ahead])),
            float(np.sqrt(np.mean(np.square(differences[ahead])))),
            float(100 * np.mean(inside[ahead])),
        )
        for ahead in AHEAD
    }


def main() -> None:
    """Print the table."""
    root = real_data() / "soil" / "weierbach_beech"
    print("| stand | weather | days ahead | starts | bias | RMSE | inside P10 to P90 |")
    print("|---|---|---|---|---|---|---|")
    for name, told in STANDS.items():
        stand = Stand(root, name)
        for perfect in (True, False):
            for ahead, (starts, bias, error, share) in hindcast(stand, perfect=perfect).items():
                weather = "as measured" if perfect else "the usual"
                print(f"| {told} | {weather} | {ahead} | {starts} | {bias:+.1f} | {error:.1f} | {share:.0f} % |")


if __name__ == "__main__":
    main()
