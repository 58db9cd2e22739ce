from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from device_profiles.catalogue import Catalogue
from gruenpuls.domain.errors import InputError
from gruenpuls.domain.reading import Flag
from gruenpuls.simulation.city import City, Span, Truth
from gruenpuls.simulation.city_faults import NOTHING_WRONG, Illness, Mishaps, Rates
from gruenpuls.simulation.city_observed import Observation, Sent, models
from gruenpuls.simulation.city_sensors import WATERMARK, Model, Nature, watermark_resistance

PROFILES = Catalogue.shipped()
SUMMER = Span.between(datetime(2025, 7, 1, 5, tzinfo=UTC), datetime(2025, 7, 21, tzinfo=UTC))
SPRING = Span.between(datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC))
WINTER = Span.between(datetime(2025, 1, 20, tzinfo=UTC), datetime(2025, 1, 31, tzinfo=UTC))
YEAR = Span.between(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
SITES = 101


def observed(
    span: Span = SUMMER, rates: Rates = NOTHING_WRONG, every: int = 1, hours: int = 744
) -> list[tuple[Truth, list[Sent]]]:
    return list(Observation(City(5, SITES, span), rates, every).sent(0, SITES, hours))


@pytest.fixture(scope="module")
def summer() -> list[tuple[Truth, list[Sent]]]:
    return observed()


def payload(sent: Sent, row: int, column: int, interval: int = 3600) -> bytes:
    raw = {name: int(numbers[row, column]) for name, numbers in sent.raw.items()}
    return sent.mount.model.pack(raw | {"interval": interval}, 7)


@pytest.mark.parametrize("model", models(), ids=lambda model: model.profile)
def test_a_frame_says_through_its_profile_what_is_written_as_history(
    model: Model, summer: list[tuple[Truth, list[Sent]]]
) -> None:
    profile = PROFILES.profile(model.profile)
    checked = 0
    for _, groups in summer:
        for sent in (group for group in groups if group.mount.model.profile == model.profile):
            values = sent.values
            for row, column in np.argwhere(sent.heard)[::11].tolist():
                decoded = {it.channel: it for it in profile.decode(payload(sent, row, column), model.port)}
                assert set(decoded) == set(values) == set(sent.mount.model.layers)
                for channel, numbers in values.items():
                    assert decoded[channel].value == pytest.approx(numbers[row, column], rel=1e-12, nan_ok=True)
                    assert decoded[channel].flag is not Flag.FAIL
                    checked += 1
    assert checked > 200


def test_a_device_without_faults_says_the_truth_within_its_resolution(
    summer: list[tuple[Truth, list[Sent]]],
) -> None:
    kinds = set()
    for truth, groups in summer:
        for sent in groups:
            assert sent.sent.all()
            assert sent.heard.all()
            places = sent.sites - truth.ground.numbers[0]
            there = truth.part(np.isin(truth.hours, sent.hours), places)
            for field in sent.mount.model.fields:
                if field.nature in {Nature.BATTERY, Nature.RAIN_TOTAL, Nature.RAIN_OF_INTERVAL, Nature.RESISTANCE}:
                    continue
                true = np.clip(field.sensed(there), field.lowest / field.per_unit, field.highest / field.per_unit)
                assert np.abs(sent.values[field.name] - true).max() <= 0.5 / field.per_unit + 1e-9, field.name
                kinds.add(field.nature)
    assert len(kinds) >= 6


def test_a_watermark_says_the_tension_as_well_as_its_curve_lets_it(summer: list[tuple[Truth, list[Sent]]]) -> None:
    checked = 0
    for truth, groups in summer:
        for sent in (group for group in groups if group.mount.model is WATERMARK):
            there = truth.part(np.isin(truth.hours, sent.hours), sent.sites)
            for probe in (1, 2, 3):
                resistance = sent.values[f"soil_resistance_{probe}"]
                true = there.tension(probe)
                # Away from the gaps between the curve's branches, and below what the probe can say.
                sure = (resistance > 1.05) & (np.abs(resistance - 8) > 0.1) & (resistance < 34.9) & (true < 235)
                said = sent.values[f"soil_tension_{probe}"][sure]
                assert np.abs(said - true[sure]).max() < 0.3
                checked += int(sure.sum())
    assert checked > 1000


def test_a_watermark_gets_harder_to_pass_as_the_soil_dries() -> None:
    tension, temperature = np.linspace(0, 300, 601), np.full(601, 15.0)
    assert (np.diff(watermark_resistance(tension, temperature)) >= 0).all()


def test_rain_counters_add_up_to_the_rain() -> None:
    rain = tips = 0.0
    for truth, groups in observed(hours=50):
        for sent in (group for group in groups if group.mount.model.profile == "decentlab-dl-tbrg"):
            rain = rain + truth.rain[:, sent.sites].sum(axis=0)
            tips = tips + sent.values["precipitation"].sum(axis=0)
            assert sent.values["precipitation_total"][-1] == pytest.approx(np.asarray(tips), abs=1e-9)
            assert (np.abs(rain - 0.05 - sent.values["precipitation_total"][-1]) < 0.0501).all()
    assert np.asarray(rain).min() > 1


@pytest.mark.parametrize("every", [1, 6])
def test_portions_of_time_change_nothing_a_device_says(every: int) -> None:
    faulty = Rates(stuck=0.3, drift=0.2, in_air=0.1, battery=0.2, reset=0.5, lost=0.2)
    whole, parts = observed(rates=faulty, every=every), observed(rates=faulty, every=every, hours=97)
    assert len(parts) > len(whole)
    for place in range(len(whole[0][1])):
        for name in ("measured_at", "sent", "heard", "counter", "joins"):
            one, other = (np.concatenate([getattr(groups[place], name) for _, groups in it]) for it in (whole, parts))
            assert np.array_equal(one, other), name
        for name in whole[0][1][place].raw:
            one, other = (np.concatenate([groups[place].raw[name] for _, groups in it]) for it in (whole, parts))
            assert np.array_equal(one, other), name


def test_devices_fall_ill_in_the_stated_shares() -> None:
    rates = Rates(stuck=0.05, drift=0.10, in_air=0.02, battery=0.03, reset=0.20)
    histories = Mishaps(9, rates, YEAR).histories(np.arange(100_000), in_soil=True)
    found = Counter(histories.illness.tolist())
    for illness in Illness:
        share = 0.8 if illness is Illness.NONE else getattr(rates, illness.name.lower())
        assert found[illness] / 100_000 == pytest.approx(share, abs=0.003)
    assert (histories.restarted < YEAR.end).mean() == pytest.approx(0.2, abs=0.005)
    ill = histories.illness != Illness.NONE
    assert ((histories.ill_from[ill] >= YEAR.first) & (histories.ill_from[ill] < YEAR.end)).all()
    assert histories.ill_from[ill].mean() == pytest.approx((YEAR.first + YEAR.end) / 2, rel=0.001)
    assert Illness.IN_AIR not in Mishaps(9, rates, YEAR).histories(np.arange(50_000), in_soil=False).illness


def test_uplinks_are_lost_doubled_and_late_in_the_stated_shares() -> None:
    mishaps = Mishaps(3, Rates(lost=0.08, duplicated=0.05, late=0.02), YEAR)
    devices, hours = np.arange(2000), np.arange(YEAR.first, YEAR.first + 500)
    lost = mishaps.lost(devices, hours)
    assert lost.mean() == pytest.approx(0.08, abs=0.003)
    assert lost.mean(axis=0).max() > 0.12
    assert mishaps.duplicated(devices, hours).mean() == pytest.approx(0.05, abs=0.001)
    delay = mishaps.delay(devices, hours)
    assert (delay > 0).mean() == pytest.approx(0.02, abs=0.001)
    assert delay[delay > 0].min() >= 5 * 60_000
    assert delay.max() <= 25 * 3_600_000
    measured = mishaps.measured_at(devices, hours)
    assert np.array_equal(measured // 3_600_000, np.broadcast_to(hours[:, None], measured.shape))


def test_a_stuck_sensor_repeats_itself_and_a_well_one_does_not() -> None:
    rates = Rates(stuck=0.5, drift=0, in_air=0, battery=0, reset=0, lost=0)
    observation = Observation(City(5, SITES, SUMMER), rates)
    groups = observation.groups(observation.city.ground)
    histories = next(it.histories for it in groups if it.mount.model.profile == "elsys-ems")
    parts = [sent for _, groups in observation.sent(0, SITES, 100) for sent in groups]
    said = np.concatenate([it.values["air_temperature"] for it in parts if it.mount.model.profile == "elsys-ems"])
    hours = np.arange(SUMMER.first, SUMMER.end)
    ill = histories.ill(hours, Illness.STUCK)
    assert ill.any(axis=0).any()
    for column in range(said.shape[1]):
        assert len(set(said[ill[:, column], column])) <= 1
        assert len(set(said[~ill[:, column], column])) > 20 or ill[:, column].mean() > 0.9


def test_drift_air_and_dying_batteries_look_like_themselves() -> None:
    rates = Rates(stuck=0, drift=0.4, in_air=0.3, battery=0.3, reset=0, lost=0, frost=False)
    observation = Observation(City(5, SITES, SPRING), rates, every=12)
    groups = observation.groups(observation.city.ground)
    histories = next(it.histories for it in groups if it.mount.model.profile == "milesight-em500-smtc")
    for truth, sent in observation.sent(0, SITES, 744):
        probes = next(it for it in sent if it.mount.model.profile == "milesight-em500-smtc")
        there = truth.part(np.isin(truth.hours, probes.hours), probes.sites)
        said, true = probes.values["soil_water_content"], there.content[:, 2] * 100
        ill = {one: histories.ill(probes.hours, one) for one in Illness}
        well = probes.hours[:, None] < histories.ill_from
        assert np.abs(said - true)[well | ill[Illness.BATTERY]].max() <= 0.005 + 1e-9
        assert np.allclose(said[ill[Illness.IN_AIR]], 0.3)
        days = (probes.hours[:, None] - histories.ill_from) / 24
        drifting = ill[Illness.DRIFT] & (said > 0)
        assert np.abs(said - true - days * histories.slope * 0.25)[drifting].max() <= 0.005 + 1e-9
        assert np.array_equal(probes.sent, ~histories.silent(probes.hours))
    # The last month: what died is silent, and told so before.
    dead = histories.silent(probes.hours)
    assert dead.any()
    assert probes.values["battery_level"][dead].max() == 0
    assert probes.values["battery_level"][~dead & (histories.illness != Illness.BATTERY)].min() > 90


def test_frozen_ground_hides_its_water() -> None:
    usual, frosty = (
        next(
            sent
            for _, groups in Observation(City(7, SITES, WINTER), rates).sent(0, SITES, 744)
            for sent in groups
            if sent.mount.model.profile == "decentlab-dl-trs21"
        )
        for rates in (NOTHING_WRONG, Rates(0, 0, 0, 0, 0, 0, 0, 0, frost=True))
    )
    frozen = usual.values["soil_temperature"] < -0.4
    assert frozen.any()
    assert (frosty.values["soil_tension"][frozen] > usual.values["soil_tension"][frozen] + 300).all()
    thawed = usual.values["soil_temperature"] > 0
    assert np.array_equal(frosty.values["soil_tension"][thawed], usual.values["soil_tension"][thawed])


def test_a_device_that_starts_anew_counts_from_nothing() -> None:
    rates = Rates(0, 0, 0, 0, reset=1.0, lost=0)
    for _, groups in observed(rates=rates):
        for sent in groups:
            assert (sent.counter[np.diff(sent.joins, axis=0, prepend=0) == 1] == 0).all()
            assert (sent.counter >= 0).all()
            assert (np.diff(sent.counter, axis=0)[np.diff(sent.joins, axis=0) == 0] == 1).all()
            if "precipitation_total" in sent.raw:
                fell = np.diff(sent.raw["precipitation_total"], axis=0) < 0
                assert (np.diff(sent.joins, axis=0)[fell] == 1).all()


@pytest.mark.parametrize("wrong", [{"lost": 0.6}, {"stuck": -0.1}, {"drift": 1.5}, {"stuck": 0.6, "drift": 0.6}])
def test_rates_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Rates(**wrong)


def test_an_interval_that_does_not_divide_the_day_is_refused() -> None:
    with pytest.raises(InputError, match="interval"):
        Observation(City(1, 1, SUMMER), NOTHING_WRONG, every=5)
