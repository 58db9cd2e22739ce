from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from collecting import TOPIC, Collecting, Publisher, collecting, numbers, until
from mosquitto import Mosquitto, free_port
from requirement import program, require

from gruenpuls.domain.errors import ConfigurationError, GruenpulsError, UnavailableError
from ingest.journal import Journal
from ingest.mqtt import Broker, EndsOn, MqttCollector, RefusedError, Tls

pytestmark = pytest.mark.server

DYNAMIC_SECURITY = Path("/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so")


def ended_with(directory: Path, source: MqttCollector) -> GruenpulsError:
    """Return the error that ends collecting from this source."""
    with Journal(directory / "journal") as journal:
        running = Collecting([source], journal).start()
        running.wait()
    assert isinstance(running.error, GruenpulsError)
    assert running.reports, "also an end with an error is reported"
    return running.error


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize(
    ("username", "password"), [("collector", "wrong"), ("nobody", "right"), ("collector", None), (None, None)]
)
def test_a_wrong_password_at_the_start_ends_with_a_clear_message(
    tmp_path: Path, protocol: str, username: str | None, password: str | None
) -> None:
    with Mosquitto(tmp_path, users={"collector": "right"}) as server:
        address = Broker(server.host, server.port, "collector", username=username, password=password, protocol=protocol)
        error = ended_with(tmp_path, MqttCollector("north", address, [TOPIC]))
        assert isinstance(error, RefusedError)
        assert isinstance(error, UnavailableError)
        assert "refuses: Not authorized" in error.what
        assert error.where == f"source north, 127.0.0.1:{server.port}"
        assert "username and password" in error.remedy


def test_the_right_password_lets_in(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, users={"collector": "ri:ght ä"}) as server:
        address = Broker(server.host, server.port, username="collector", password="ri:ght ä")
        with Journal(tmp_path / "journal") as journal:
            source = MqttCollector("mqtt", address, [TOPIC])
            with collecting(source, journal), Publisher(server.port, "collector", "ri:ght ä") as publisher:
                until(lambda: source._started)
                publisher.publish_all(range(3))
                until(lambda: journal.end == 3)


def test_a_password_changed_later_is_reported_and_tried_again(tmp_path: Path) -> None:
    users = {"collector": "right", "publisher": "right"}
    server = Mosquitto(tmp_path, users=users)
    server.start()
    source = MqttCollector(
        "mqtt",
        Broker(server.host, server.port, username="collector", password="right"),
        [TOPIC],
        first_wait=0.1,
        longest_wait=0.2,
    )
    with Journal(tmp_path / "journal") as journal, collecting(source, journal) as running:
        until(lambda: source._started)
        server.stop()
        with Mosquitto(tmp_path, port=server.port, users=users | {"collector": "changed"}):
            until(lambda: "Not authorized" in str(running.health.last_error))
            assert running.health.connected_since is None
        with (
            Mosquitto(tmp_path, port=server.port, users=users) as mended,
            Publisher(mended.port, "publisher", "right") as publisher,
        ):
            until(lambda: running.health.connected_since)
            publisher.publish_all(range(3))
            until(lambda: set(numbers(journal)) == {0, 1, 2})


def test_a_refusal_may_be_outlived_from_the_start(tmp_path: Path) -> None:
    server = Mosquitto(tmp_path, users={"collector": "other"})
    server.start()
    address = Broker(server.host, server.port, username="collector", password="right")
    source = MqttCollector("mqtt", address, [TOPIC], ends_on=EndsOn.NOTHING, first_wait=0.1, longest_wait=0.2)
    with Journal(tmp_path / "journal") as journal, collecting(source, journal) as running:
        until(lambda: "Not authorized" in str(running.health.last_error))
        server.stop()
        with Mosquitto(tmp_path, port=server.port, users={"collector": "right"}):
            until(lambda: running.health.connected_since)


@pytest.mark.parametrize("host", ["127.0.0.1", "broker.invalid"])
def test_no_broker_ends_it_where_that_is_asked_for(tmp_path: Path, host: str) -> None:
    port = free_port()
    error = ended_with(tmp_path, MqttCollector("mqtt", Broker(host, port), [TOPIC], ends_on=EndsOn.ANYTHING))
    assert isinstance(error, UnavailableError)
    assert "cannot be reached" in error.what
    assert error.where == f"source mqtt, {host}:{port}"
    assert error.remedy


@contextmanager
def listener(answer: bytes, *, close: bool) -> Iterator[int]:
    """Yield a port where something answers that is no broker."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                connection, _ = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(answer)
                    if not close:
                        stop.wait(30)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        stop.set()
        with socket.socket() as last:
            last.connect_ex(server.getsockname())
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail ESMTP\r\n",
        b"",
        b"\x20\x02",
        b"\x20\x00",
        b"\x30\xff\xff\xff\xff\xff\x01",
        b"\x20\x02\x00\x63",
        b"\x90\x00",
        bytes(range(256)),
        b"\xff" * 64,
    ],
)
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_something_else_on_the_port_is_named_as_such(tmp_path: Path, answer: bytes, protocol: str) -> None:
    with listener(answer, close=True) as port:
        address = Broker("127.0.0.1", port, protocol=protocol)
        error = ended_with(tmp_path, MqttCollector("mqtt", address, [TOPIC], ends_on=EndsOn.ANYTHING))
        assert isinstance(error, UnavailableError)
        assert error.where == f"source mqtt, 127.0.0.1:{port}"
        assert "port" in error.remedy or "broker" in error.remedy


def test_silence_on_the_port_is_not_waited_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.mqtt_connection._ANSWER_SECONDS", 0.5)
    with listener(b"", close=False) as port:
        source = MqttCollector("mqtt", Broker("127.0.0.1", port), [TOPIC], ends_on=EndsOn.ANYTHING)
        error = ended_with(tmp_path, source)
        assert "silence" in error.what


@pytest.mark.parametrize("topic", ["", "a/#/b", "a+/b", "#a"])
def test_a_topic_that_is_none_is_named(tmp_path: Path, topic: str) -> None:
    with Mosquitto(tmp_path) as server:
        error = ended_with(tmp_path, MqttCollector("mqtt", Broker(server.host, server.port), [topic]))
        assert isinstance(error, ConfigurationError)
        assert repr(topic) in error.what


@pytest.fixture
def strict_server(tmp_path: Path) -> Iterator[Mosquitto]:
    """Yield a broker that lets everybody subscribe to `city/#` and to nothing else."""
    require(DYNAMIC_SECURITY.exists(), "mosquitto_dynamic_security.so is not installed (Debian package mosquitto)")
    rules = tmp_path / "rules.json"
    allowed = {"acltype": "subscribePattern", "topic": "city/#", "priority": 0, "allow": True}
    rules.write_text(
        json.dumps(
            {
                "defaultACLAccess": {
                    "publishClientSend": True,
                    "publishClientReceive": True,
                    "subscribe": False,
                    "unsubscribe": True,
                },
                "clients": [],
                "groups": [{"groupname": "all", "roles": [{"rolename": "listener"}], "clients": []}],
                "roles": [{"rolename": "listener", "acls": [allowed]}],
                "anonymousGroup": "all",
            }
        )
    )
    settings = [f"plugin {DYNAMIC_SECURITY}", f"plugin_opt_config_file {rules}"]
    with Mosquitto(tmp_path, settings=settings) as server:
        yield server


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_subscription_that_is_not_granted_ends_with_a_clear_message(
    tmp_path: Path, strict_server: Mosquitto, protocol: str
) -> None:
    address = Broker(strict_server.host, strict_server.port, protocol=protocol)
    error = ended_with(tmp_path, MqttCollector("mqtt", address, [TOPIC, "region/+/up"]))
    assert isinstance(error, RefusedError)
    assert "region/+/up" in error.what
    assert TOPIC not in error.what


def test_a_subscription_refused_later_leaves_the_others_working(tmp_path: Path, strict_server: Mosquitto) -> None:
    source = MqttCollector(
        "mqtt", Broker(strict_server.host, strict_server.port), [TOPIC], first_wait=0.1, longest_wait=0.2
    )
    with Journal(tmp_path / "journal") as journal, collecting(source, journal) as running:
        until(lambda: source._started)
        source._topics = (TOPIC, "region/+/up")
        strict_server.restart()
        until(lambda: "region/+/up" in str(running.health.last_error))
        with Publisher(strict_server.port) as publisher:
            publisher.publish_all(range(3))
            until(lambda: journal.end == 3)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with an authority, a server and a client certificate, and a foreign authority."""
    place = tmp_path_factory.mktemp("certificates")
    openssl = program("openssl", "openssl")

    def run(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=place, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for authority in ("ca", "foreign"):
        subject = ["-subj", f"/CN={authority}", "-keyout", f"{authority}.key", "-out", f"{authority}.crt"]
        run("req", "-x509", *key, "-days", "2", *subject)
    for name in ("server", "client"):
        run("req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (place / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
        run("x509", "-req", "-in", f"{name}.csr", *sign, "-out", f"{name}.crt")
    return place


@pytest.fixture
def tls_server(tmp_path: Path, certificates: Path) -> Iterator[tuple[Mosquitto, int]]:
    """Yield a broker, and its port for those who have a certificate."""
    port = free_port()
    settings = [
        f"listener {port} 127.0.0.1",
        f"cafile {certificates / 'ca.crt'}",
        f"certfile {certificates / 'server.crt'}",
        f"keyfile {certificates / 'server.key'}",
        "require_certificate true",
        "allow_anonymous true",
    ]
    with Mosquitto(tmp_path, settings=settings) as server:
        # It takes connections on its own port before it has opened the others.
        until(lambda: listens(port))
        yield server, port


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tls(certificates: Path, *, ca: str = "ca", client: str | None = "client") -> Tls:
    own = (certificates / f"{client}.crt", certificates / f"{client}.key") if client else (None, None)
    return Tls(certificates / f"{ca}.crt", *own)


def test_messages_come_through_tls_with_a_client_certificate(
    tmp_path: Path, tls_server: tuple[Mosquitto, int], certificates: Path
) -> None:
    server, port = tls_server
    source = MqttCollector("mqtt", Broker("127.0.0.1", port, tls=tls(certificates)), [TOPIC])
    with Journal(tmp_path / "journal") as journal, collecting(source, journal), Publisher(server.port) as publisher:
        until(lambda: source._started)
        publisher.publish_all(range(2000), size=900)
        publisher.publish_all(range(2000, 2002), size=3 << 20)
        until(lambda: journal.end == 2002)
        assert numbers(journal) == list(range(2002))
        assert source.health().reconnects == 0


def test_without_a_file_the_system_says_whom_to_trust(
    tmp_path: Path, tls_server: tuple[Mosquitto, int], certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tls(certificates)
    address = Broker("127.0.0.1", tls_server[1], tls=Tls(None, own.certificate_file, own.key_file))
    assert "not trusted" in ended_with(tmp_path, MqttCollector("mqtt", address, [TOPIC])).what
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.crt"))
    source = MqttCollector("mqtt", address, [TOPIC])
    with Journal(tmp_path / "trusting") as journal, collecting(source, journal):
        until(lambda: source._started)


def test_a_key_with_a_passphrase_is_named_and_nobody_asked_for_it(tmp_path: Path, certificates: Path) -> None:
    key = tmp_path / "locked.key"
    lock = ["pkey", "-in", str(certificates / "client.key"), "-aes256", "-passout", "pass:secret", "-out", str(key)]
    subprocess.run([program("openssl", "openssl"), *lock], check=True, capture_output=True)
    with pytest.raises(ConfigurationError, match="passphrase"):
        MqttCollector("mqtt", Broker("127.0.0.1", tls=Tls(None, certificates / "client.crt", key)), [TOPIC])


def test_a_missing_key_is_named_and_not_its_certificate(tmp_path: Path, certificates: Path) -> None:
    own = Tls(None, certificates / "client.crt", tmp_path / "nowhere.key")
    with pytest.raises(ConfigurationError, match="No such file") as error:
        MqttCollector("mqtt", Broker("127.0.0.1", tls=own), [TOPIC])
    assert error.value.where == str(tmp_path / "nowhere.key")


def test_a_broker_whose_certificate_is_foreign_is_not_trusted(
    tmp_path: Path, tls_server: tuple[Mosquitto, int], certificates: Path
) -> None:
    address = Broker("127.0.0.1", tls_server[1], tls=tls(certificates, ca="foreign"))
    error = ended_with(tmp_path, MqttCollector("mqtt", address, [TOPIC]))
    assert isinstance(error, RefusedError)
    assert "not trusted" in error.what
    assert "ca_file" in error.remedy


def test_a_missing_client_certificate_is_hinted_at(
    tmp_path: Path, tls_server: tuple[Mosquitto, int], certificates: Path
) -> None:
    address = Broker("127.0.0.1", tls_server[1], tls=tls(certificates, client=None))
    error = ended_with(tmp_path, MqttCollector("mqtt", address, [TOPIC], ends_on=EndsOn.ANYTHING))
    assert "client certificate" in error.remedy


def test_plain_text_to_a_tls_port_is_hinted_at(tmp_path: Path, tls_server: tuple[Mosquitto, int]) -> None:
    source = MqttCollector("mqtt", Broker("127.0.0.1", tls_server[1]), [TOPIC], ends_on=EndsOn.ANYTHING)
    assert "TLS" in ended_with(tmp_path, source).remedy


def test_tls_to_a_plain_port_is_no_riddle(tmp_path: Path, certificates: Path) -> None:
    with Mosquitto(tmp_path) as server:
        address = Broker(server.host, server.port, tls=tls(certificates))
        error = ended_with(tmp_path, MqttCollector("mqtt", address, [TOPIC], ends_on=EndsOn.ANYTHING))
        assert "cannot be reached" in error.what


@pytest.mark.parametrize("broken", ["ca", "client"])
def test_a_certificate_file_that_is_none_is_named(tmp_path: Path, certificates: Path, broken: str) -> None:
    (tmp_path / "broken.crt").write_text("no certificate")
    (tmp_path / "broken.key").write_text("no key")
    own = tmp_path if broken == "client" else certificates
    name = "broken" if broken == "client" else "client"
    ca = tmp_path / "broken.crt" if broken == "ca" else certificates / "ca.crt"
    with pytest.raises(ConfigurationError) as error:
        MqttCollector("mqtt", Broker("127.0.0.1", tls=Tls(ca, own / f"{name}.crt", own / f"{name}.key")), [TOPIC])
    assert error.value.where == str(tmp_path / "broken.crt")


def test_a_missing_certificate_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file") as error:
        MqttCollector("mqtt", Broker("127.0.0.1", tls=Tls(tmp_path / "nowhere.crt")), [TOPIC])
    assert error.value.where == str(tmp_path / "nowhere.crt")
