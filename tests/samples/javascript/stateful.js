// Keeps what it saw last, and so answers differently in another order.
var seen = 0;
function decodeUplink(input) {
  var step = input.bytes[0] - seen;
  seen = input.bytes[0];
  return { data: { temperature: input.bytes[0], step: step } };
}
