// ChirpStack version 3, with calibration constants of the single device.
function Decode(fPort, bytes, variables) {
  var constants = variables || {};
  return { vwc: (bytes[0] * 256 + bytes[1]) / 100 + Number(constants.offset || 0), fPort: fPort };
}
