from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from console.conftest import Console, Consoles
from queries.city import NOW, City, opened

from gruenpuls.console.pages import ROWS
from gruenpuls.domain.device import Channel, Deployment, Device
from gruenpuls.domain.reading import Flag, FlagInterval
from gruenpuls.domain.site import Site, SiteKind
from gruenpuls.queries.self_check import CHECK, Discrepancy, Fault, Holding, SelfCheck
from gruenpuls.stores.registry.judgements import Judged


def rows(text: str) -> list[str]:
    """Return the names in the table of sites, in order."""
    table = text[text.index('id="sites"') : text.index('id="map-title"')]
    return [html.unescape(name) for name in re.findall(r'class="name-link"[^>]*>([^<]*)<', table)]


def test_the_worst_sites_come_first(console: Console) -> None:
    assert rows(console.get("/").text) == [
        "Linde am Südwall",
        "Ahorn, Kampstraße 12",
        "Eiche am Westpark",
        "Platane am Stadtgarten",
        "Wetterstation <Hafen>",
        "Gründach Rathaus",
        "Ulme ohne Sensor",
    ]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("sort=site", "Ahorn, Kampstraße 12"),
        ("sort=site&order=descending", "Wetterstation <Hafen>"),
        ("sort=status&order=descending", "Ulme ohne Sensor"),
        ("sort=last_reading", "Ulme ohne Sensor"),
    ],
)
def test_sites_are_sorted_as_asked(console: Console, query: str, first: str) -> None:
    assert rows(console.get(f"/?{query}").text)[0] == first


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Saugspannung 41 kPa in 30 cm Tiefe (bald ab 25 kPa, jetzt ab 33 kPa)"),
        ("en", "tension 41 kPa at 30 cm depth (soon from 25 kPa, now from 33 kPa)"),
    ],
)
def test_a_site_says_why(console: Console, language: str, sentence: str) -> None:
    text = console.get("/", accept_language=language).text.replace("\u00a0", " ")
    assert sentence in text


def test_a_silent_site_says_since_when(console: Console) -> None:
    assert "seit 5 Tagen kein Messwert" in console.get("/sites/B4").text


def test_a_key_may_hold_a_slash_and_a_space(console: Console) -> None:
    assert console.get("/sites/B/0815%20a").status_code == 200
    assert 'href="/sites/B/0815%20a"' in console.get("/").text


def test_names_are_text(console: Console) -> None:
    text = console.get("/").text
    assert "Wetterstation &lt;Hafen&gt;" in text
    assert "<Hafen>" not in text


@pytest.mark.parametrize(
    "path", ["/sites/none", "/curves/none", "/days/soil_tension/none", "/days/none/B2", "/nowhere"]
)
def test_what_does_not_exist_is_said_in_words(console: Console, path: str) -> None:
    answer = console.get(path, accept_language="en")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


@pytest.mark.parametrize(
    "path",
    ["/?sort=price", "/?order=up", "/?page=0", "/sites/B2?days=none", "/sites/B2?days=0", "/curves/B2?days=99999"],
)
def test_nonsense_is_refused_with_a_page(console: Console, path: str) -> None:
    answer = console.get(path)
    assert answer.status_code == 422
    assert "Diese Anfrage ist so nicht möglich" in answer.text


def test_the_sums_of_the_intake_page_add_up(console: Console) -> None:
    text = console.get("/intake").text
    tiles = re.findall(r'class="tile"><b>([\d.]+)</b>', text)
    received, *parts = (int(number.replace(".", "")) for number in tiles)
    assert received == sum(parts) == 4926


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Von Meldungen ist ungeklärt, was aus ihnen wurde: 1.234"),
        ("en", "Messages of which nobody knows what became of them: 1,234"),
    ],
)
def test_a_failed_self_check_stands_on_the_intake_page(tmp_path: Path, language: str, sentence: str) -> None:
    with opened(tmp_path) as city:
        console = Console.of(city)
        assert 'role="alert"' not in console.get("/intake", accept_language=language).text
        held = Holding(0, 0)
        check = SelfCheck(NOW, 0, 1234, 0, (Discrepancy(Fault.NUMBERS, 1234),), {}, (), (), held, held, None)
        city.registry.health.report("work", {CHECK: check.plain()})
        assert sentence in console.get("/intake", accept_language=language).text


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "de",
            (
                "<b>ttn</b>: nicht verbunden",
                "Lücke geschlossen: 1.312 Meldungen vom 01.07.2026, 14:00 bis 02.07.2026, 02:00",
            ),
        ),
        ("en", ("<b>ttn</b>: not connected", "gap closed: 1,312 uplinks from")),
    ],
)
def test_the_intake_page_says_which_source_is_away_and_which_gap_was_closed(
    tmp_path: Path, language: str, sentences: Sequence[str]
) -> None:
    span = {"start": "2026-07-01T12:00:00+00:00", "end": "2026-07-02T00:00:00+00:00"}
    gap = {"uplinks": 1312, "closed_at": "2026-07-02T00:00:05+00:00", "span": span}
    sources = [
        {"name": "ttn", "connected_since": None, "gap": None},
        {"name": "ttn (gaps)", "connected_since": NOW.isoformat(), "gap": gap},
    ]
    with opened(tmp_path) as city:
        city.registry.health.report("collect", {"sources": sources})
        text = Console.of(city).get("/intake", accept_language=language).text.replace("\u00a0", " ")
        assert [sentence for sentence in sentences if sentence not in text] == []
        city.registry.health.report("collect", {"sources": []})
        assert "ttn (gaps)</b>" not in Console.of(city).get("/intake", accept_language=language).text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Lücke vom 01.07.2026, 14:00 bis 02.07.2026, 02:00: Das Netz hat aus dieser Zeit nichts."),
        ("en", "the network has nothing of that time"),
    ],
)
def test_a_gap_for_which_the_network_had_nothing_does_not_count_as_closed(
    tmp_path: Path, language: str, sentence: str
) -> None:
    span = {"start": "2026-07-01T12:00:00+00:00", "end": "2026-07-02T00:00:00+00:00"}
    gap = {"uplinks": 0, "closed_at": "2026-07-02T00:00:05+00:00", "span": span}
    with opened(tmp_path) as city:
        source = {"name": "ttn (gaps)", "connected_since": NOW.isoformat(), "gap": gap}
        city.registry.health.report("collect", {"sources": [source]})
        text = Console.of(city).get("/intake", accept_language=language).text.replace("\u00a0", " ")
        assert sentence in text
        assert "geschlossen" not in text
        assert "closed" not in text


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "de",
            (
                "Meldungen lassen sich nicht sichern: disk full",
                "Messwerte lassen sich nicht speichern: InfluxDB does not answer",
                "ttn ist nicht verbunden: wrong password",
            ),
        ),
        (
            "en",
            (
                "Messages cannot be journalled: disk full",
                "Readings cannot be stored: InfluxDB does not answer",
                "ttn is not connected: wrong password",
            ),
        ),
    ],
)
def test_what_messages_do_not_get_past_stands_on_the_intake_page_until_it_is_over(
    tmp_path: Path, language: str, sentences: Sequence[str]
) -> None:
    ttn = {"name": "ttn", "connected_since": None, "last_error": "wrong password"}
    with opened(tmp_path) as city:
        city.registry.health.report("collect", {"sources": [ttn], "journal": {"error": "disk full"}})
        city.registry.health.report("work", {"error": "InfluxDB does not answer"})
        text = Console.of(city).get("/intake", accept_language=language).text
        assert [sentence for sentence in sentences if sentence not in text] == []
        again = {**ttn, "connected_since": NOW.isoformat()}
        city.registry.health.report("collect", {"sources": [again], "journal": {"error": None}})
        city.registry.health.report("work", {"error": None})
        text = Console.of(city).get("/intake", accept_language=language).text
        assert 'role="alert"' not in text
        assert "wrong password" not in text


def test_dead_letters_say_what_helps(console: Console) -> None:
    text = html.unescape(console.get("/intake").text)
    assert "Sensor anlegen (gruenpuls device add), dann die Meldungen nachholen." in text
    assert "not JSON: unexpected byte at 0 <b>" in text


def test_an_incident_whose_rule_is_gone_is_still_listed(console: Console) -> None:
    assert "a_rule_of_old" in console.get("/incidents").text


def test_derived_values_are_marked(console: Console) -> None:
    text = console.get("/sites/B2").text
    assert re.search(r'Nutzbare Feldkapazität \(nFK\) <span class="mark">berechnet</span>', text)


def test_notices_stand_on_the_page_in_its_language(console_with: Consoles) -> None:
    console = console_with(notices={"de": ("Werte <echt>",), "en": ("real values",)})
    assert "Werte &lt;echt&gt;" in console.get("/").text
    assert "real values" in console.get("/", accept_language="en").text


def test_outside_a_replay_there_is_no_replay_clock(console: Console) -> None:
    assert "data-clock" not in console.get("/").text


def test_a_day_table_has_a_row_for_each_day(console: Console) -> None:
    text = console.get("/days/temperature/W1?days=7").text
    assert len(re.findall(r'<th scope="row"', text)) == 8
    assert "Lufttemperatur, in 2,0" in text.replace("\u00a0", " ")


@pytest.fixture
def large_city(tmp_path: Path) -> Iterator[Console]:
    with opened(tmp_path) as city:
        for number in range(ROWS + 3):
            site = Site(f"T{number:03}", f"Baum {number:03}", SiteKind.STREET_TREE)
            city.registry.places.add(site, actor="test")
        yield Console.of(city)


def heading(text: str) -> str:
    found = re.search(r"<h1>\s*(.*?)\s*</h1>", text, re.DOTALL)
    assert found
    return found[1]


def test_a_city_nobody_judges_is_not_called_well(large_city: Console) -> None:
    assert heading(large_city.get("/?lang=en").text) == "Of no site is it known whether it needs water."


def test_silent_sensors_come_before_the_word_that_nothing_is_to_do(city: City) -> None:
    later = Console.of(city, now=NOW + timedelta(days=60))
    assert heading(later.get("/?lang=en").text) == "6 sites send no current data."


def test_a_long_table_has_pages_that_need_no_script(large_city: Console) -> None:
    first = large_city.get("/?sort=site").text
    assert rows(first)[-1] == f"Baum {ROWS - 1:03}"
    assert f"1 bis {ROWS} von {ROWS + 3}" in first
    address = re.search(r'id="page-next" href="([^"]*)"', first)
    assert address
    second = large_city.get(html.unescape(address[1])).text
    assert rows(second) == [f"Baum {number:03}" for number in range(ROWS, ROWS + 3)]
    assert 'id="page-next"' not in second
    assert large_city.get("/?page=3").status_code == 404


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("de", ("Baumscheibe [m²]", "Simuliert", "ja", "weicht seit Tagen von den Nachbarn ab", "anna beurteilt: dug")),
        ("en", ("Planting pit [m²]", "Simulated", "yes", "off its neighbours for days", "judged by anna: dug")),
    ],
)
def test_a_site_says_in_words_what_is_known_of_it_and_why_a_value_is_doubted(
    tmp_path: Path, language: str, sentences: tuple[str, ...]
) -> None:
    with opened(tmp_path) as city:
        told = {"pit_area": 6.0, "simulated": True, "house_rule": "x"}
        city.registry.places.add(Site("B9", "Ulme", SiteKind.STREET_TREE, attributes=told), actor="test")
        city.registry.devices.add(
            Device("d1", "test", "", tuple(Channel(f"t{depth}", "soil_tension", depth) for depth in (30, 60))),
            actor="test",
        )
        city.registry.deployments.begin(Deployment("d1", "B9", NOW - timedelta(days=9)), actor="test")
        upper, lower = (city.measure("d1", f"t{depth}", depth, "soil_tension") for depth in (30, 60))
        since, until = NOW - timedelta(days=1), NOW + timedelta(hours=1)
        for series in (upper, lower):
            city.put(series, [NOW], [33.0])
        off = FlagInterval(upper, since, until, "neighbours", Flag.SUSPECT, "quality", "off")
        judged = Judged(["neighbours"], {upper: since}, {}, [off], ())
        city.registry.judgements.settle(judged, {upper: since})
        city.registry.judgements.override(lower, since, until, Flag.FAIL, actor="anna", reason="dug out")
        page = html.unescape(Console.of(city).get("/sites/B9", accept_language=language).text)
    assert [sentence for sentence in sentences if sentence not in page] == []
    assert "pit_area" not in page
    assert "house rule" in page


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("de", ("heute 91\N{NO-BREAK SPACE}l", "38 % (zwischen 15 und 60 %)", "91\N{NO-BREAK SPACE}l gießen")),
        ("en", ("91\N{NO-BREAK SPACE}l today", "38 % (between 15 and 60 %)", "give 91\N{NO-BREAK SPACE}l")),
    ],
)
def test_a_site_says_what_it_needs_and_how_surely(tmp_path: Path, language: str, sentences: tuple[str, ...]) -> None:
    with opened(tmp_path) as city:
        city.registry.places.add(Site("B9", "Ulme", SiteKind.STREET_TREE), actor="test")
        midnight = [datetime(2026, 7, 12, 22, tzinfo=UTC)]
        for statistic, value in (("p10", 15.0), ("p50", 38.0), ("p90", 60.0)):
            series = city.derive("B9", "plant_available_water", "water_balance", statistic=statistic)
            city.put(series, midnight, [value], kind="processor")
        city.put(city.derive("B9", "irrigation_need", "irrigation_need"), midnight, [91.0], kind="processor")
        console = Console.of(city)
        site = console.get("/sites/B9", accept_language=language).text
        overview = console.get("/", accept_language=language).text
    assert sentences[0] in site
    assert sentences[1] in site
    assert sentences[2] in overview


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ((3.0, 5.0, 8.0), "fällig in 3 bis 8 Tagen"),
        ((4.0, 9.0, 11.0), "fällig frühestens in 4 Tagen"),
        ((11.0, 11.0, 11.0), "auch in den nächsten zehn Tagen nicht"),
    ],
)
def test_a_site_says_how_long_its_water_lasts(tmp_path: Path, days: tuple[float, ...], sentence: str) -> None:
    with opened(tmp_path) as city:
        city.registry.places.add(Site("B9", "Ulme", SiteKind.STREET_TREE), actor="test")
        midnight = [datetime(2026, 7, 12, 22, tzinfo=UTC)]
        for statistic, water, left in zip(("p10", "p50", "p90"), (60.0, 70.0, 80.0), days, strict=True):
            series = city.derive("B9", "plant_available_water", "water_balance", statistic=statistic)
            city.put(series, midnight, [water], kind="processor")
            city.put(city.derive("B9", "days_until_watering", "outlook", statistic=statistic), midnight, [left])
        city.put(city.derive("B9", "irrigation_need", "irrigation_need"), midnight, [0.0], kind="processor")
        console = Console.of(city)
        site = console.get("/sites/B9", accept_language="de").text
    assert sentence in site
