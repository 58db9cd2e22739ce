"""Which of a codec's fields are which of our quantities: by TTN's normalized names, else by well-known ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from device_profiles.mapping import path_steps
from device_profiles.units import conversion
from gruenpuls.domain.quantity import QUANTITIES, Quantity

# TTN's normalized payload (lib/payload.json of its repository, Apache-2.0): name, our quantity, its unit there.
_NORMALIZED: Final = {
    "battery": ("battery_voltage", "V"),
    "soil.moisture": ("soil_water_content", "%"),
    "soil.temperature": ("soil_temperature", "Cel"),
    "soil.ec": ("soil_electrical_conductivity", "dS/m"),
    "soil.pH": ("soil_ph", "[pH]"),
    "air.temperature": ("air_temperature", "Cel"),
    "air.relativeHumidity": ("relative_humidity", "%"),
    "air.pressure": ("air_pressure", "hPa"),
    "air.co2": ("carbon_dioxide", "[ppm]"),
    "air.lightIntensity": ("illuminance", "lx"),
    "wind.speed": ("wind_speed", "m/s"),
    "wind.direction": ("wind_direction", "deg"),
    "rain.intensity": ("precipitation_intensity", "mm/h"),
    "rain.cumulative": ("precipitation_total", "mm"),
    "water.temperature.current": ("water_temperature", "Cel"),
}


class _Name(NamedTuple):
    pattern: re.Pattern[str]
    quantity: str
    units: tuple[str, ...] = ()


def _name(pattern: str, quantity: str, *units: str) -> _Name:
    return _Name(re.compile(pattern), quantity, units)


# On words of the whole path in small letters, with _ between them; the first that fits counts, so the special go first.
_NAMES: Final = (
    _name(r"displayname|version|serial|status|_id$|^id$|counter$|fcnt|mod(e|el)?$|flag|alarm|threshold|interval", ""),
    _name(r"dew", "dew_point_temperature"),
    _name(r"heat_?index", "heat_index"),
    _name(r"(bat|vbat).*(level|percent|pct|soc)|^battery_level", "battery_level"),
    _name(r"bat_?status", ""),
    _name(
        r"^(.*_)?(battery|bat|batv|vbat|bat_v|battery_vol(t|tage)?|batteryvoltage|volt)(_mv|_v)?$", "battery", "V", "mV"
    ),
    _name(r"tension|matric|water_potential|watermark|_kpa$|cbar", "soil_tension", "kPa"),
    _name(r"(soil|ground|substrate).*(temp)|(temp).*(soil|ground|substrate)", "soil_temperature"),
    _name(
        r"(soil|substrate).*(moist|water|vwc|humi)|(moist|water|vwc|humi).*soil|^vwc|volumetric_water",
        "soil_water_content",
    ),
    _name(r"moisture", "soil_water_content"),
    _name(r"(conduct|_ec$|^ec$|ec_|salinity)", "soil_electrical_conductivity", "dS/m", "uS/cm"),
    _name(r"permittivity|dielectric", "soil_permittivity"),
    _name(r"(^|_)soil_?ph|^ph(_soil|1_soil)?$", "soil_ph"),
    _name(r"leaf.*(moist|wet)", "leaf_wetness"),
    _name(r"leaf.*temp", "leaf_temperature"),
    _name(r"(water|probe_in_water).*temp", "water_temperature"),
    _name(r"water_level|^level_m$", "water_level", "m", "cm", "mm"),
    _name(r"distance", "distance", "mm", "cm", "m"),
    _name(r"wind.*(gust|max)|(gust|max\w*)_wind", "wind_gust", "m/s"),
    _name(r"wind.*dir", "wind_direction"),
    _name(r"(east|north)_wind", ""),
    _name(r"wind.*(speed|vel)|^wind$", "wind_speed", "m/s"),
    _name(r"rain.*(intens|rate)|precipitation_(intens|rate)", "precipitation_intensity", "mm/h"),
    _name(r"rain.*(total|cumul|count)|(total|cumul\w*)_(rain|precip)", "precipitation_total", "mm"),
    _name(r"rain|precipitation", "precipitation", "mm"),
    _name(r"solar|global_radiation|pyranometer|irradiance", "global_radiation"),
    _name(r"par$|photosynth", ""),
    _name(r"(^|_)(lux|illumin\w*|light(_level|_intensity)?|illuminance)($|_)", "illuminance"),
    _name(r"uv", "uv_index"),
    _name(r"co_?2|carbon", "carbon_dioxide"),
    _name(r"vapou?r_pressure", "vapour_pressure", "kPa"),
    _name(r"(baro|atmos|air)\w*_?press|^pressure$|barometer$", "air_pressure", "hPa", "kPa", "Pa"),
    _name(r"internal|board|chip|cpu|device_temp|barometer_temp|thermistor", "device_temperature"),
    _name(r"(^|_)(humidity|hum|rh|relative_humidity)($|_)", "relative_humidity", "%", "1"),
    _name(r"(^|_)(ds|ext|external|probe)(_|$)|temp\w*[2-9]$", ""),
    _name(r"(^|_)(air|ambient|outdoor)_?temp|temp_(c_)?sht", "air_temperature"),
    _name(r"(^|_)(temperature|temp|t)(_c|_celsius)?$", "temperature"),
)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NUMBER: Final = re.compile(r"\s*[-+]?(?:\d+(?:[.,]\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*(.*?)\s*")
_HIGHEST_VOLTAGE: Final = 30.0
_FULL: Final = 100


@dataclass(frozen=True, slots=True)
class ProposedChannel:
    """A field of the decoded object as a channel.

    Parameters
    ----------
    name, quantity, path : str
    unit : str or None
        What the codec gives, where it is not the quantity's own.
    because : str
        Why, for a person.
    sure : bool
        Whether the publisher's own words leave no doubt.
    """

    name: str
    quantity: str
    path: str
    unit: str | None
    because: str
    sure: bool


@dataclass(frozen=True, slots=True)
class UnmappedField:
    """A numeric field nothing was proposed for.

    Parameters
    ----------
    path : str
    example : str
        One of its values.
    because : str
    """

    path: str
    example: str
    because: str


def proposed_mapping(
    outputs: Sequence[Mapping[str, object]], about: str
) -> tuple[tuple[ProposedChannel, ...], tuple[UnmappedField, ...]]:
    """Return channels for what codec outputs hold, and what is left.

    Parameters
    ----------
    outputs : sequence of mapping
        Decoded objects.
    about : str
        Model and description, which tell soil from air where a field just says temperature.
    """
    values: dict[str, list[object]] = {}
    for output in outputs:
        for path, value in _leaves(output, ""):
            values.setdefault(path, []).append(value)
    channels: list[ProposedChannel] = []
    left: list[UnmappedField] = []
    in_soil = re.search(r"soil|moisture|boden|substrate", f"{about} {' '.join(values)}", re.IGNORECASE) is not None
    for path, seen in values.items():
        found = _channel(path, seen, in_soil=in_soil)
        if isinstance(found, UnmappedField):
            left.append(found)
        elif found is not None:
            channels.append(found)
    normalized = {channel.quantity for channel in channels if channel.path.startswith("normalized")}
    kept: dict[str, ProposedChannel] = {}
    for channel in channels:
        if channel.quantity in normalized and not channel.path.startswith("normalized"):
            left.append(UnmappedField(channel.path, _shown(values[channel.path]), "normalizeUplink gives it already"))
            continue
        name, number = channel.name, 1
        while name in kept:
            number += 1
            name = f"{channel.name}_{number}"
        kept[name] = ProposedChannel(name, channel.quantity, channel.path, channel.unit, channel.because, channel.sure)
    return tuple(kept.values()), tuple(left)


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Yield numbers, and texts that hold one, with their paths; an item with an id of its own by that."""
    if isinstance(value, Mapping):
        if "value" in value and not isinstance(value["value"], Mapping | list):
            yield path, value
            return
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        flat = list(_flat(value))
        for at, item in enumerate(flat):
            named = isinstance(item, Mapping) and item.get("measurementId") is not None
            if isinstance(item, Mapping) and named and "measurementValue" in item:
                by_id = f"{path}[measurementId={item['measurementId']}].measurementValue"
                yield by_id, {"value": item["measurementValue"], "type": item.get("type")}
            elif isinstance(item, Mapping | int | float) and len(flat) == len(value):
                yield from _leaves(item, f"{path}[{at}]")
    elif (isinstance(value, int | float) and not isinstance(value, bool)) or (
        isinstance(value, str) and _NUMBER.fullmatch(value)
    ):
        yield path, value


def _flat(value: list[object]) -> Iterator[object]:
    for item in value:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def _channel(path: str, seen: Sequence[object], *, in_soil: bool) -> ProposedChannel | UnmappedField | None:
    shown = _shown(seen)
    try:
        path_steps(path)
    except ValueError:
        return UnmappedField(path, shown, "a path cannot name it")
    normalized = re.fullmatch(r"normalized\[(\d+)\]\.(.+)", path)
    if normalized is not None:
        known = _NORMALIZED.get(normalized[2])
        if known is None:
            return UnmappedField(path, shown, "no quantity of ours")
        return ProposedChannel(known[0], known[0], path, None, "normalizeUplink", sure=True)
    typed = next((str(one["type"]) for one in seen if isinstance(one, Mapping) and one.get("type")), "")
    words = "_".join(_WORDS.findall(typed or re.sub(r"\[.*?\]", " ", path))).lower()
    last = "_".join(_WORDS.findall(typed or path.rpartition(".")[2])).lower()
    for name in _NAMES:
        if name.pattern.search(words) or name.pattern.search(last):
            if not name.quantity:
                return UnmappedField(path, shown, "not clear what it measures")
            return _with_unit(path, seen, name, in_soil=in_soil)
    return UnmappedField(path, shown, "its name is not known")


def _with_unit(path: str, seen: Sequence[object], name: _Name, *, in_soil: bool) -> ProposedChannel | UnmappedField:
    numbers = [number for number in map(_number, seen) if number is not None]
    quantity, sure = name.quantity, True
    if quantity == "temperature":
        quantity, sure = ("soil_temperature" if in_soil else "air_temperature"), False
    if quantity == "battery":
        whole = all(number == int(number) for number in numbers)
        level = whole and all(0 <= number <= _FULL for number in numbers) and max(numbers, default=0) > _HIGHEST_VOLTAGE
        quantity = "battery_level" if level else "battery_voltage"
    canonical = QUANTITIES[quantity]
    given = next((unit for unit in map(_given_unit, seen) if unit), "")
    if given:
        if conversion(given, canonical.unit) is None:
            return UnmappedField(path, _shown(seen), f"{given!r} is no unit of {quantity}")
        return ProposedChannel(quantity, quantity, path, None, f"its name and its unit {given}", sure)
    units = (name.units if quantity != "battery_level" else ()) or (canonical.unit,)
    fitting = {unit: _count_fitting(numbers, unit, canonical) for unit in units}
    # Some values may be a sentinel, such as 327.67 for a probe that is not there.
    unit = max(fitting, key=fitting.__getitem__)
    if not fitting[unit]:
        return UnmappedField(path, _shown(seen), f"its values do not fit {quantity}")
    guessed = unit != canonical.unit and len(units) > 1
    because = f"its name, and its values fit {unit}" if guessed else "its name"
    given_unit = unit if unit != canonical.unit else None
    return ProposedChannel(quantity, quantity, path, given_unit, because, sure and not guessed)


def _count_fitting(numbers: Sequence[float], unit: str, quantity: Quantity) -> int:
    made = conversion(unit, quantity.unit)
    if made is None:
        return 0
    values = (number * made.multiply / made.divide + made.add for number in numbers)
    return sum(quantity.minimum <= value <= quantity.maximum for value in values)


def _number(value: object) -> float | None:
    if isinstance(value, Mapping):
        value = value["value"]
    if isinstance(value, str):
        found = re.match(r"\s*[-+]?\d*[.,]?\d+", value)
        return float(found[0].replace(",", ".")) if found else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _given_unit(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("unit") or "")
    found = _NUMBER.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else ""


def _shown(seen: Sequence[object]) -> str:
    value = seen[0]["value"] if isinstance(seen[0], Mapping) else seen[0]
    return str(value)[:40]
