// LoRa Alliance TS013, as most vendors write it today.
function decodeUplink(input) {
  if (input.fPort !== 2) {
    return { errors: ["unknown FPort " + input.fPort] };
  }
  const view = new DataView(new Uint8Array(input.bytes).buffer);
  return {
    data: {
      Bat: (view.getUint16(0) & 0x3fff) / 1000,
      temp_SOIL: (view.getInt16(6) / 100).toFixed(2),
      water_SOIL: (view.getUint16(4) / 100).toFixed(2),
      conduct_SOIL: view.getUint16(8),
      received: input.recvTime.toISOString(),
    },
    warnings: [],
  };
}

function normalizeUplink(input) {
  return {
    data: [
      {
        soil: {
          moisture: Number(input.data.water_SOIL),
          temperature: Number(input.data.temp_SOIL),
          ec: input.data.conduct_SOIL / 1000,
        },
        battery: input.data.Bat,
      },
    ],
  };
}
