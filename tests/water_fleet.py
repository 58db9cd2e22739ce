"""Fleets for tests of the water balance: sites of every kind under one sky."""

from collections.abc import Sequence

import numpy as np

from gruenpuls.domain.processor import Array, Fleet
from gruenpuls.domain.site import Site, SiteKind, Soil, growing_season
from processors.water.site_parameters import site_parameters

YOUNG = Site("y", "y", SiteKind.STREET_TREE, 51.45, 7.0, planted_on="2022-11", soil=Soil("Sl3"))
OLD = Site("o", "o", SiteKind.STREET_TREE, 51.45, 7.0, species="Tilia cordata", planted_on="1980")
ROOF = Site("r", "r", SiteKind.GREEN_ROOF, 51.45, 7.0, planted_on="2015", soil=Soil(root_depth=0.08))
CISTERN = Site("c", "c", SiteKind.CISTERN, 51.45, 7.0)
DEPTHS = np.array([30.0, 60.0, 90.0])


def fleet(
    sites: Sequence[Site],
    rain: Array,
    *,
    demand: float = 4.0,
    first: str = "2023-06-01",
    temperature: float = 18.0,
    probes: Array | None = None,
    soil_temperature: float = np.nan,
    watered: Array | None = None,
    distance: float = 0.0,
    carried: dict[tuple[str, str], Array] | None = None,
) -> Fleet:
    """Return some days of sites; `rain` is (time,) [mm], `probes` (time, site, depth) [% nFK]."""
    shape = (len(rain), len(sites))
    start = np.datetime64(first, "ms")
    steps = start + np.arange(shape[0]) * np.timedelta64(1, "D")
    year = int(first[:4])
    read = np.full((*shape, 3), np.nan) if probes is None else probes
    columns = dict(site_parameters(sites, year).columns)
    columns["growing_season"] = np.array([growing_season(site.planted_on, year) for site in sites], np.float64)
    columns["latitude"] = np.array([51.45 for _ in sites])
    nothing = np.full(shape, np.nan)
    return Fleet(
        steps,
        {
            ("reference_evapotranspiration", "last"): np.full(shape, demand),
            ("precipitation", "sum"): np.repeat(rain[:, None], shape[1], axis=1),
            ("precipitation", "sum_day"): nothing,
            ("air_temperature", "mean"): np.full(shape, temperature),
            ("air_temperature", "mean_day"): nothing,
            ("plant_available_water", "mean"): read,
            ("soil_temperature", "mean"): np.full((*shape, 3), soil_temperature),
        },
        np.repeat(DEPTHS[None, :], shape[1], axis=0),
        columns,
        distances={("precipitation", "sum"): np.full(shape, distance), ("precipitation", "sum_day"): nothing},
        carried=carried or {},
        watered=np.empty((0, 0)) if watered is None else watered,
    )
