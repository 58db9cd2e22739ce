"""Node-RED as people set it up: mqtt in → json → function → influxdb out, without its editor."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("node-red@4", "node-red-contrib-influxdb@0.7")

_FUNCTION = """
const body = msg.payload;
let device, data, at;
if (body.deviceInfo) {
    [device, data, at] = [body.deviceInfo.devEui, body.data, body.rxInfo[0].gwTime];
} else if (body.uplink_message) {
    const inner = body.uplink_message;
    [device, data, at] = [body.end_device_ids.dev_eui, inner.frm_payload, inner.rx_metadata[0].time];
} else {
    [device, data, at] = [body.dev_eui, body.payload, body.reported_at];
}
const frame = Buffer.from(data, "base64");
const fields = {t: frame.readInt16BE(0) / 10, h: frame[2], time: new Date(at)};
return {payload: [fields, {device: device.toLowerCase()}]};
"""


def installed(directory: Path) -> Path | None:
    """Install Node-RED from the registry unless it is there; return its program, or None without Node.js."""
    program = directory / "node_modules" / "node-red" / "red.js"
    if not shutil.which("node"):
        return None
    if not program.exists():
        if not shutil.which("npm"):
            return None
        directory.mkdir(parents=True, exist_ok=True)
        words = ["--no-audit", "--no-fund", "--omit=optional", "--omit=dev", "--loglevel=error", "--prefix"]
        subprocess.run(["npm", "install", *words, str(directory), *PACKAGES], check=True, stdout=subprocess.DEVNULL)
    return program


def configured(directory: Path, modules: Path, port: int, broker: int, session: tuple[str, str], store: str) -> None:
    """Write its settings and the flow.

    Parameters
    ----------
    directory : Path
        Its own user directory.
    modules : Path
        Where the influxdb nodes are installed.
    port, broker : int
        Its own, and the broker's.
    session : tuple of str
        Client id and topic.
    store : str
        Address of an InfluxDB 1 with a database named ``bench``.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "settings.js").write_text(
        f'module.exports = {{uiHost: "127.0.0.1", uiPort: {port}, httpAdminRoot: false, flowFile: "flow.json",\n'
        f'    nodesDir: ["{modules / "node-red-contrib-influxdb"}"], telemetry: {{enabled: false}},\n'
        '    logging: {console: {level: "error", metrics: false, audit: false}}};\n',
        "utf-8",
    )
    client, topic = session
    host, _, store_port = store.removeprefix("http://").partition(":")
    flow = [
        {"id": "tab", "type": "tab", "label": "bench"},
        {
            "id": "broker",
            "type": "mqtt-broker",
            "broker": "127.0.0.1",
            "port": str(broker),
            "clientid": client,
            "autoConnect": True,
            "usetls": False,
            "protocolVersion": "4",
            "keepalive": "60",
            "cleansession": False,
        },
        {
            "id": "store",
            "type": "influxdb",
            "hostname": host,
            "port": store_port,
            "protocol": "http",
            "database": "bench",
            "usetls": False,
            "influxdbVersion": "1.x",
        },
        {
            "id": "in",
            "type": "mqtt in",
            "z": "tab",
            "topic": topic,
            "qos": "1",
            "datatype": "utf8",
            "broker": "broker",
            "inputs": 0,
            "wires": [["json"]],
        },
        {"id": "json", "type": "json", "z": "tab", "property": "payload", "action": "obj", "wires": [["function"]]},
        {"id": "function", "type": "function", "z": "tab", "func": _FUNCTION, "outputs": 1, "wires": [["out"]]},
        {"id": "out", "type": "influxdb out", "z": "tab", "influxdb": "store", "measurement": "probe", "wires": []},
    ]
    # What stands nowhere on the sheet counts as configuration.
    placed = [node | {"x": 100, "y": 100} if "z" in node else node for node in flow]
    (directory / "flow.json").write_text(json.dumps(placed), "utf-8")
