// The Things Network version 2: sloppy on purpose, with an implicit global, octal and a global of its own.
var module = "a codec may use this name";
scale = 010 + 2;

function Decoder(bytes, port) {
  var decoded = {};
  decoded.temperature = ((bytes[0] << 24 >> 16) | bytes[1]) / scale;
  decoded.humidity = bytes[2];
  decoded.port = port;
  return decoded;
}
