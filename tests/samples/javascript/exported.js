// CommonJS with Buffer, the way of Actility's catalogue.
const { Buffer } = require("buffer");

function decodeUplink(input) {
  const bytes = Buffer.from(input.bytes);
  const at = bytes.indexOf(0x67);
  return {
    data: {
      temperature: { value: bytes.readInt16LE(at + 1) / 10, unit: "°C" },
      serial: bytes.slice(0, 2).toString("hex"),
      text: Buffer.from("R3LDvG4=", "base64").toString("utf8"),
    },
  };
}

exports.decodeUplink = decodeUplink;
