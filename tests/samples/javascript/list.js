// SenseCAP's shape: a list of measurements by id, and prototypes bent on the way.
Array.prototype.last = function () {
  return this[this.length - 1];
};
Object.assign = function () {
  throw new Error("this one is mine");
};
let decodeUplink = (input) => ({
  data: {
    messages: [
      [
        { measurementId: "4102", type: "Soil Temperature", measurementValue: input.bytes[0] / 10 },
        { measurementId: "4103", type: "Soil Moisture", measurementValue: input.bytes.last() },
      ],
    ],
  },
});
