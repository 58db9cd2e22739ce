// What a codec finds around it, and how it is called. Evaluates to a function that takes what the codec
// declared and returns the one that decodes a batch: JSON text in, JSON text out.
(function (world) {
  "use strict";

  // Captured before the codec runs, since codecs overwrite what they like.
  const { parse, stringify } = JSON;
  const RealDate = Date;
  const { apply, construct } = Reflect;
  const { defineProperty } = Object;
  const { isArray } = Array;
  const { join } = Array.prototype;
  const EngineError = InternalError;
  const MOST_CHARACTERS = 65536;
  const MOST_ERRORS = 5;

  const give = (name, value) =>
    defineProperty(world, name, { value, writable: true, configurable: true, enumerable: false });

  // One clock and one chance per message, so that decoding again gives the same.
  let now = 0;
  let chance = 1;

  function Clock(...parts) {
    if (new.target === undefined) return new RealDate(now).toString();
    return construct(RealDate, parts.length === 0 ? [now] : parts, new.target);
  }
  defineProperty(Clock, "length", { value: 7 });
  defineProperty(Clock, "name", { value: "Date" });
  Clock.prototype = RealDate.prototype;
  Clock.now = () => now;
  Clock.parse = RealDate.parse;
  Clock.UTC = RealDate.UTC;
  defineProperty(RealDate.prototype, "constructor", { value: Clock, writable: true, configurable: true });
  give("Date", Clock);
  delete world.performance;

  // xorshift32, G. Marsaglia, Xorshift RNGs, Journal of Statistical Software 8(14), 2003.
  Math.random = () => {
    chance ^= chance << 13;
    chance ^= chance >>> 17;
    chance ^= chance << 5;
    return (chance >>> 0) / 4294967296;
  };

  // Dates as a person in the United States reads them, which is what codecs were tested with; always UTC.
  const padded = (number) => (number < 10 ? "0" + number : "" + number);
  const day = (date) => date.getMonth() + 1 + "/" + date.getDate() + "/" + date.getFullYear();
  const clock = (date, options) => {
    const [hour, minute, second] = [date.getHours(), padded(date.getMinutes()), padded(date.getSeconds())];
    if (options && options.hour12 === false) return padded(hour) + ":" + minute + ":" + second;
    return (hour % 12 || 12) + ":" + minute + ":" + second + (hour < 12 ? " AM" : " PM");
  };
  const dated = (written) =>
    function (locale, options) {
      return isNaN(this) ? "Invalid Date" : written(this, options);
    };
  RealDate.prototype.toLocaleDateString = dated((date) => day(date));
  RealDate.prototype.toLocaleTimeString = dated((date, options) => clock(date, options));
  RealDate.prototype.toLocaleString = dated((date, options) => day(date) + ", " + clock(date, options));

  const silent = {};
  const nothing = () => undefined;
  const said = "assert clear count debug dir error group groupCollapsed groupEnd info log table time timeEnd trace warn";
  for (const name of said.split(" ")) silent[name] = nothing;
  give("console", silent);

  const exported = {};
  give("exports", exported);
  give("module", { exports: exported });
  give("require", (name) => {
    if ((name === "buffer" || name === "node:buffer") && world.Buffer) return { Buffer: world.Buffer };
    throw new Error("there is no module " + stringify(name) + " here");
  });

  function chosen(holders, names) {
    for (const name of names) {
      for (let at = 0; at < holders.length; at += 1) {
        const holder = holders[at];
        if (holder !== null && typeof holder === "object" && typeof holder[name] === "function") {
          const found = holder[name];
          return { name, call: (...given) => apply(found, holder, given) };
        }
      }
    }
    return undefined;
  }

  function described(error) {
    try {
      if (error instanceof Error) return (error.name + ": " + error.message).slice(0, 500);
      return typeof error === "object" ? stringify(error).slice(0, 500) : String(error).slice(0, 500);
    } catch {
      return "an error that cannot be shown";
    }
  }

  // Once memory has run out nothing here can be relied on: the context is given up.
  function passOnExhaustion(error) {
    if (error === null || (error instanceof EngineError && error.message === "out of memory")) {
      throw error;
    }
  }

  return function bind(declared) {
    const holders = [declared, declared.driver, declared.module && declared.module.exports, exported];
    const nested = holders[2];
    if (nested && typeof nested === "object") holders.push(nested.driver);
    const decoder = chosen(holders, ["decodeUplink", "Decoder", "Decode"]);
    if (decoder === undefined) throw new Error("it has none of decodeUplink, Decoder, Decode");
    const normalizer = chosen(holders, ["normalizeUplink"]);

    function output(bytes, fPort, variables) {
      if (decoder.name === "Decoder") return { data: decoder.call(bytes, fPort) };
      if (decoder.name === "Decode") return { data: decoder.call(fPort, bytes, variables) };
      return decoder.call({ bytes, fPort, recvTime: new Clock(now), variables });
    }

    function normalized(result) {
      if (normalizer === undefined) return undefined;
      try {
        const found = normalizer.call(result);
        return found && found.data ? stringify(isArray(found.data) ? found.data : [found.data]) : undefined;
      } catch (error) {
        passOnExhaustion(error);
        return undefined;
      }
    }

    function decoded(message, variables) {
      now = message[2];
      chance = (now ^ (now / 4294967296)) | 0 || 1;
      try {
        const result = output(message[0], message[1], variables);
        if (result === null || typeof result !== "object") return '{"e":["it returned no object"]}';
        const errors = result.errors;
        if (isArray(errors) && errors.length > 0) {
          let list = "";
          for (let at = 0; at < errors.length && at < MOST_ERRORS; at += 1) {
            list += (at ? "," : "") + stringify(described(errors[at]));
          }
          return '{"e":[' + list + "]}";
        }
        const data = stringify(result.data);
        if (typeof data !== "string" || result.data === null || typeof result.data !== "object") {
          return '{"e":["it returned no data"]}';
        }
        const more = normalized(result);
        const text = '{"r":' + data + (typeof more === "string" ? ',"n":' + more : "") + "}";
        if (text.length > MOST_CHARACTERS) return '{"x":"its output is longer than 64 KB"}';
        return text;
      } catch (error) {
        passOnExhaustion(error);
        return '{"x":' + stringify(described(error)) + "}";
      }
    }

    return function run(text) {
      const batch = parse(text);
      const answers = [];
      for (let at = 0; at < batch.m.length; at += 1) {
        defineProperty(answers, at, { value: decoded(batch.m[at], batch.v) });
      }
      // Joined, not added up: long sums are ropes, which the engine's binding cannot hand over.
      return apply(join, ["[", apply(join, answers, [","]), "]"], [""]);
    };
  };
})(globalThis);
