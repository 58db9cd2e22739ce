"""Random sites and seasons for property tests of the water balance."""

from dataclasses import fields

import numpy as np

from processors.water.assimilation import Seen
from processors.water.balance import Weather
from processors.water.bucket import Bucket, State


def buckets(generator: np.random.Generator, sites: int, *, certain: bool = False) -> Bucket:
    """Return sites from a flower pot to a park, among them roofs that hold nothing above their capacity."""
    capacity = generator.uniform(2, 300, sites)
    error = 0.0 if certain else 0.4
    bare = generator.uniform(0, 0.3, sites)
    return Bucket(
        capacity=capacity,
        saturation=capacity * np.where(generator.random(sites) < 0.3, 1.0, generator.uniform(1, 2.5, sites)),
        drainage_time=generator.uniform(0.1, 10, sites),
        depletion_fraction=generator.uniform(0, 0.8, sites),
        cover=generator.uniform(0, 1, sites),
        interception_bare=bare,
        interception_leaved=bare + generator.uniform(0, 2, sites),
        rain_share=generator.uniform(0, 1, sites),
        drained_share=generator.uniform(0, 10, sites) * (generator.random(sites) < 0.5),
        inflow_coefficient=generator.uniform(0, 1, sites),
        infiltration_capacity=generator.uniform(1, 100, sites),
        area=generator.uniform(0.5, 200, sites),
        demand_error=generator.uniform(0, error, sites),
        inflow_error=generator.uniform(0, error, sites),
        noise=generator.uniform(0, 0.05, sites),
    )


def states(generator: np.random.Generator, bucket: Bucket) -> State:
    sites = len(bucket.capacity)
    return State(
        storage=generator.uniform(0, 1, sites) * bucket.saturation,
        deviation=generator.uniform(0, 0.3, sites) * bucket.capacity,
        snow=generator.uniform(0, 30, sites) * (generator.random(sites) < 0.3),
        offset=generator.normal(0, 0.1, sites) * bucket.capacity,
        offset_deviation=generator.uniform(0, 0.2, sites) * bucket.capacity,
        correlation=generator.uniform(-1, 1, sites),
    )


def weather(generator: np.random.Generator, steps: int, sites: int) -> Weather:
    shape = (steps, sites)
    rain = generator.exponential(6, shape) * (generator.random(shape) < 0.4)
    demand = generator.uniform(0, 12, shape)
    return Weather(
        precipitation=rain,
        precipitation_deviation=0.2 * rain,
        air_temperature=generator.uniform(-10, 30, shape),
        demand=demand,
        demand_deviation=0.1 * demand,
        leaf=generator.uniform(0, 1, shape),
        watering=generator.uniform(0, 200, shape) * (generator.random(shape) < 0.05),
    )


def readings(generator: np.random.Generator, steps: int, sites: int) -> Seen:
    shape = (steps, sites)
    share = generator.uniform(-20, 150, shape)
    share[generator.random(shape) < 0.6] = np.nan
    return Seen(share, generator.uniform(1, 10, shape), generator.uniform(0, 25, shape))


def of(weather: Weather, steps: slice, sites: slice) -> Weather:
    """Return some days of some sites."""
    return Weather(*(getattr(weather, part.name)[steps, sites] for part in fields(weather)))
