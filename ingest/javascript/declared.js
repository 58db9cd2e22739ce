// What the codec declared, whether as var, function, let or const.
({
  decodeUplink: typeof decodeUplink === "undefined" ? undefined : decodeUplink,
  Decoder: typeof Decoder === "undefined" ? undefined : Decoder,
  Decode: typeof Decode === "undefined" ? undefined : Decode,
  normalizeUplink: typeof normalizeUplink === "undefined" ? undefined : normalizeUplink,
  driver: typeof driver === "undefined" ? undefined : driver,
  module: typeof module === "undefined" ? undefined : module,
});
