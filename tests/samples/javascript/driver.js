// An object called driver that carries its functions and uses this.
const driver = {
  scale: 100,
  decodeUplink(input) {
    return { data: { distance: { value: (input.bytes[0] * 256 + input.bytes[1]) / this.scale, unit: "m" } } };
  },
};
