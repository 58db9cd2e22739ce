// Reads clock and chance, and writes dates for people.
function decodeUplink(input) {
  var at = new Date();
  return {
    data: {
      now: Date.now(),
      at: at,
      said: at.toLocaleString("en-US"),
      day: at.toLocaleDateString(),
      time: at.toLocaleTimeString("en-US", { hour12: false }),
      local: new Date(2026, 6, 1).toISOString(),
      chance: Math.random(),
      same: at instanceof Date && input.recvTime.constructor === Date && Date.now() === input.recvTime.getTime(),
      text: typeof Date(),
      timer: typeof performance,
    },
  };
}
