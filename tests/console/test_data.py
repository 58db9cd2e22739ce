from __future__ import annotations

from console.conftest import Console

from gruenpuls.queries.curves import POINTS


def test_sites_come_as_columns_of_one_length(console: Console) -> None:
    columns = console.get("/sites.json").json()
    statuses = columns.pop("statuses")
    assert {len(column) for column in columns.values()} == {6}
    by_key = dict(zip(columns["key"], columns["status"], strict=True))
    assert statuses[by_key["B/0815 a"]] == "water_now"
    assert "B5" not in by_key, "it has no position"


def test_what_the_browser_has_is_not_sent_again(console: Console) -> None:
    first = console.get("/sites.json")
    again = console.get("/sites.json", if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert console.get("/sites.json", if_none_match='W/"other"').status_code == 200


def test_large_answers_are_compressed(console: Console) -> None:
    answer = console.get("/curves/W1", accept_encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"


def test_curves_have_times_in_seconds_and_labels_in_the_language(console: Console) -> None:
    body = console.get("/curves/W1?days=7", accept_language="en").json()
    charts = {chart["name"]: chart for chart in body["charts"]}
    temperature = charts["temperature"]
    assert temperature["unit"] == "°C"
    assert temperature["curves"][0]["label"].replace("\u00a0", " ") == "Air temperature, at 2.0 m height"
    assert [curve["derived"] for curve in temperature["curves"]] == [False, True]
    for chart in charts.values():
        for curve in chart["curves"]:
            assert len(curve["at"]) == len(curve["value"]) <= POINTS
            assert body["span"][0] - 3600 <= curve["at"][0] <= curve["at"][-1] <= body["span"][1]
    assert charts["precipitation"]["bars"]


def test_gaps_are_nulls(console: Console) -> None:
    curves = console.get("/curves/W1?days=30").json()["charts"][1]["curves"]
    assert None in curves[1]["value"], "the heat index ends below 20 °C"


def test_a_span_longer_than_the_record_begins_with_the_record(console: Console) -> None:
    body = console.get("/curves/W1?days=365").json()
    assert body["span"][1] - body["span"][0] < 37 * 86_400


def test_status_bands_cover_the_axis_without_a_gap(console: Console) -> None:
    tension, water = (
        {chart["name"]: chart for chart in console.get(f"/curves/{key}").json()["charts"]}[name]["bands"]
        for key, name in (("B/0815%20a", "soil_tension"), ("B2", "plant_available_water"))
    )
    assert [(band["status"], band["from"], band["to"]) for band in tension] == [
        ("fine", None, 25),
        ("water_soon", 25, 33),
        ("water_now", 33, None),
    ]
    edges = [(band["status"], *(edge and round(edge) for edge in (band["from"], band["to"]))) for band in water]
    assert edges == [  # 33 and 81 kPa through the curve of its soil
        ("fine", 50, None),
        ("water_soon", 32, 50),
        ("water_now", None, 32),
    ]
