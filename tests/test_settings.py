from pathlib import Path

import pytest

from gruenpuls.domain.errors import ConfigurationError
from gruenpuls.settings import settings_from

GAP = (
    '[[sources]]\nname = "a"\n[[gaps]]\nsource = "{}"\nnetwork = "element_iot"\n'
    'url = "https://element.example"\ncollection = "trees"\napi_key = "x"\n'
)


@pytest.fixture(autouse=True)
def _nothing_set_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("GRUENPULS_CONSOLE__PORT", "GRUENPULS_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


def file_with(text: str) -> Path:
    path = Path("city.toml")
    path.write_text(text, encoding="utf-8")
    return path


def test_everything_has_a_default() -> None:
    settings = settings_from()
    assert settings.console.port == 8080
    assert settings.console.host == "127.0.0.1"


def test_the_environment_overrides_one_key_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUENPULS_CONSOLE__PORT", "9000")
    settings = settings_from(file_with('[console]\nport = 8081\ntitle = "Stadtgrün Bottrop"\n'))
    assert (settings.console.port, settings.console.title) == (9000, "Stadtgrün Bottrop")


@pytest.mark.parametrize(
    ("text", "key", "part"),
    [
        ("[console]\nport = 99999\n", "console.port", "65535"),
        ("[console]\nprt = 1\n", "console.prt", "no such setting"),
        ('time_zone = "Mars/Olympus"\n', "time_zone", "Europe/Berlin"),
        ('[[sources]]\npassword = "x"\n', "sources.0", "needs a username"),
        ('sources = [{name = "a"}, {name = "a"}]\n', "settings", "share a name"),
        ('[[sources]]\nname = "a"\n[[webhooks]]\nname = "a"\ntoken = "0123456789abcdef"\n', "settings", "share a name"),
        ('sources = [{name = "a"}, {name = "b"}]\n', "settings", "share a client_id"),
        (GAP.format("b"), "settings", "not there: b"),
        (GAP.format("a") + GAP.format("a").partition("[[gaps]]")[2].join(["[[gaps]]", ""]), "settings", "one place"),
        ('[[webhooks]]\nname = "a"\n', "webhooks.0", "needs a token"),
        ('[[webhooks]]\nname = "a"\ntoken = "short"\n', "webhooks.0.token", "16"),
        ('[[webhooks]]\nname = "health"\ntoken = "0123456789abcdef"\n', "webhooks.0", "that path"),
        ('[soil]\ndormant_from = "13-01"\n', "soil.dormant_from", "month and day"),
        ('[soil]\ndormant_from = "W01-1"\n', "soil.dormant_from", "month and day"),
        ('[soil]\ndormant_to = ""\n', "soil", "go together"),
        ('[soil.limits.bed]\ntension_now = "dry"\n', "soil.limits.bed.tension_now", "number"),
        ('[[sources]]\ncertificate_file = "a.pem"\n', "sources.0", "go together"),
    ],
)
def test_a_wrong_setting_is_named_with_its_key(text: str, key: str, part: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_from(file_with(text))
    assert caught.value.where == key
    assert part in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("[console]\nport = 0\n", "GRUENPULS_CONSOLE__PORT"),
        ('sources = [{name = "a"}, {name = "a"}]\n', None),
        ("[[sources]]\nport = 0\n", None),
    ],
)
def test_a_variable_is_named_only_where_there_is_one(text: str, variable: str | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_from(file_with(text))
    assert "city.toml" in caught.value.remedy
    assert ("GRUENPULS_" in caught.value.remedy) is (variable is not None)
    assert variable is None or variable in caught.value.remedy


def test_broken_toml_is_named_with_its_line() -> None:
    with pytest.raises(ConfigurationError, match="line 2"):
        settings_from(file_with("[console]\nport = \n"))


def test_a_settings_file_that_is_not_there_is_said_so() -> None:
    with pytest.raises(ConfigurationError, match="no such settings file"):
        settings_from(Path("nowhere.toml"))


def test_no_password_shows_when_settings_are_printed() -> None:
    settings = settings_from(file_with('[[sources]]\nusername = "u"\npassword = "topsecret"\n'))
    assert "topsecret" not in repr(settings)
