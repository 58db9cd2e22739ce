// The part of Node's Buffer that codecs use; loaded only for sources that name it.
(function (world) {
  "use strict";

  const DIGITS = "0123456789abcdef";

  function fromText(text, encoding) {
    switch (String(encoding === undefined ? "utf8" : encoding).toLowerCase()) {
      case "hex": {
        const pairs = [];
        for (let at = 0; at + 1 < text.length; at += 2) {
          const pair = text.slice(at, at + 2);
          if (!/^[0-9a-f]{2}$/i.test(pair)) break;
          pairs.push(parseInt(pair, 16));
        }
        return pairs;
      }
      case "base64":
      case "base64url": {
        let kept = text.split("=")[0].replace(/-/g, "+").replace(/_/g, "/").replace(/[^A-Za-z0-9+/]/g, "");
        if (kept.length % 4 === 1) kept = kept.slice(0, -1);
        return fromText(atob(kept), "latin1");
      }
      case "ascii":
      case "latin1":
      case "binary": {
        const units = [];
        for (let at = 0; at < text.length; at += 1) units.push(text.charCodeAt(at) & 0xff);
        return units;
      }
      case "utf8":
      case "utf-8": {
        const units = [];
        for (const character of text) {
          let point = character.codePointAt(0);
          if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
          if (point < 0x80) units.push(point);
          else if (point < 0x800) units.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
          else if (point < 0x10000) {
            units.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
          } else {
            units.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f));
            units.push(0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
          }
        }
        return units;
      }
      default:
        throw new TypeError("Unknown encoding: " + encoding);
    }
  }

  function utf8(bytes) {
    const least = [0, 0x80, 0x800, 0x10000];
    let text = "";
    for (let at = 0; at < bytes.length; at += 1) {
      const first = bytes[at];
      const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
      let point = more < 1 ? first : first & (0x3f >> more);
      let read = 0;
      while (read < more && (bytes[at + read + 1] & 0xc0) === 0x80) {
        read += 1;
        point = (point << 6) | (bytes[at + read] & 0x3f);
      }
      const whole = more >= 0 && read === more && point >= least[more] && point <= 0x10ffff;
      text += whole && !(point >= 0xd800 && point <= 0xdfff) ? String.fromCodePoint(point) : "\ufffd";
      at += read;
    }
    return text;
  }

  function toText(bytes, encoding) {
    let text = "";
    switch (String(encoding === undefined ? "utf8" : encoding).toLowerCase()) {
      case "hex":
        for (let at = 0; at < bytes.length; at += 1) text += DIGITS[bytes[at] >> 4] + DIGITS[bytes[at] & 15];
        return text;
      case "base64":
        return btoa(toText(bytes, "latin1"));
      case "base64url":
        return toText(bytes, "base64").replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
      case "ascii":
        for (let at = 0; at < bytes.length; at += 1) text += String.fromCharCode(bytes[at] & 0x7f);
        return text;
      case "latin1":
      case "binary":
        for (let at = 0; at < bytes.length; at += 1) text += String.fromCharCode(bytes[at]);
        return text;
      case "utf8":
      case "utf-8":
        return utf8(bytes);
      default:
        throw new TypeError("Unknown encoding: " + encoding);
    }
  }

  class Bytes extends Uint8Array {
    toString(encoding, start, end) {
      return toText(start === undefined && end === undefined ? this : this.subarray(start, end), encoding);
    }
    slice(start, end) {
      return this.subarray(start, end);
    }
    equals(other) {
      return Bytes.compare(this, other) === 0;
    }
    compare(other) {
      return Bytes.compare(this, other);
    }
    copy(target, to, start, end) {
      const part = this.subarray(start, end);
      const room = part.subarray(0, Math.max(0, target.length - (to || 0)));
      target.set(room, to || 0);
      return room.length;
    }
    fill(value, start, end) {
      if (typeof value === "number") return super.fill(value, start, end);
      const pattern = Bytes.from(value);
      const part = this.subarray(start, end);
      for (let at = 0; at < part.length; at += 1) part[at] = pattern.length ? pattern[at % pattern.length] : 0;
      return this;
    }
    write(text, offset, length, encoding) {
      if (typeof offset === "string") return this.write(text, 0, undefined, offset);
      if (typeof length === "string") return this.write(text, offset, undefined, length);
      const start = offset || 0;
      const end = length === undefined ? this.length : Math.min(this.length, start + length);
      return Bytes.from(text, encoding).copy(this.subarray(0, end), start);
    }
    indexOf(value, start) {
      if (typeof value === "number") return super.indexOf(value & 0xff, start);
      const wanted = Bytes.from(value);
      for (let at = start || 0; at + wanted.length <= this.length; at += 1) {
        if (this.subarray(at, at + wanted.length).equals(wanted)) return at;
      }
      return -1;
    }
    includes(value, start) {
      return this.indexOf(value, start) >= 0;
    }
    swap16() {
      for (let at = 0; at + 1 < this.length; at += 2) [this[at], this[at + 1]] = [this[at + 1], this[at]];
      return this;
    }
    toJSON() {
      return { type: "Buffer", data: Array.from(this) };
    }
    static from(value, encoding, length) {
      if (typeof value === "string") return new Bytes(fromText(value, encoding));
      if (value instanceof ArrayBuffer) return new Bytes(value, encoding, length);
      if (value && value.type === "Buffer" && Array.isArray(value.data)) return new Bytes(value.data);
      if (value === null || typeof value !== "object") throw new TypeError("Buffer.from takes text or bytes");
      return new Bytes(Array.from(value));
    }
    static alloc(size, fill) {
      const made = new Bytes(size);
      return fill === undefined ? made : made.fill(fill);
    }
    static concat(list, total) {
      const length = total === undefined ? list.reduce((sum, part) => sum + part.length, 0) : total;
      const joined = new Bytes(length);
      let at = 0;
      for (const part of list) {
        const room = Uint8Array.prototype.subarray.call(part, 0, Math.max(0, length - at));
        joined.set(room, at);
        at += room.length;
      }
      return joined;
    }
    static compare(one, other) {
      for (let at = 0; at < one.length && at < other.length; at += 1) {
        if (one[at] !== other[at]) return one[at] < other[at] ? -1 : 1;
      }
      return Math.sign(one.length - other.length);
    }
    static isBuffer(value) {
      return value instanceof Bytes;
    }
    static isEncoding(name) {
      return /^(hex|base64(url)?|ascii|latin1|binary|utf-?8)$/i.test(name);
    }
    static byteLength(value, encoding) {
      return typeof value === "string" ? fromText(value, encoding).length : value.byteLength;
    }
  }

  function place(bytes, offset, size) {
    const start = offset === undefined ? 0 : offset;
    if (!Number.isInteger(start) || start < 0 || start + size > bytes.length) {
      throw new RangeError("offset " + start + " is outside of a buffer of " + bytes.length + " bytes");
    }
    return bytes.byteOffset + start;
  }

  const add = (names, method) => {
    for (const name of names) Object.defineProperty(Bytes.prototype, name, { value: method, writable: true });
  };
  const kinds = [
    ["UInt8", "Uint8", 1], ["Int8", "Int8", 1], ["UInt16", "Uint16", 2], ["Int16", "Int16", 2],
    ["UInt32", "Uint32", 4], ["Int32", "Int32", 4], ["Float", "Float32", 4], ["Double", "Float64", 8],
    ["BigInt64", "BigInt64", 8], ["BigUInt64", "BigUint64", 8],
  ];
  for (const [kind, view, size] of kinds) {
    for (const order of size === 1 ? [""] : ["LE", "BE"]) {
      const little = order === "LE";
      const names = [kind + order, kind.replace("UInt", "Uint") + order];
      add(names.map((name) => "read" + name), function (offset) {
        return new DataView(this.buffer)["get" + view](place(this, offset, size), little);
      });
      add(names.map((name) => "write" + name), function (value, offset) {
        new DataView(this.buffer)["set" + view](place(this, offset, size), value, little);
        return (offset || 0) + size;
      });
    }
  }
  for (const order of ["LE", "BE"]) {
    const unsigned = function (offset, size) {
      const start = place(this, offset, size) - this.byteOffset;
      let value = 0;
      for (let at = 0; at < size; at += 1) value = value * 256 + this[start + (order === "LE" ? size - 1 - at : at)];
      return value;
    };
    add(["readUInt" + order, "readUint" + order], unsigned);
    add(["readInt" + order], function (offset, size) {
      const value = unsigned.call(this, offset, size);
      return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
    });
    add(["writeUInt" + order, "writeUint" + order, "writeInt" + order], function (value, offset, size) {
      const start = place(this, offset, size) - this.byteOffset;
      let left = value < 0 ? value + 2 ** (8 * size) : value;
      for (let at = 0; at < size; at += 1) {
        this[start + (order === "LE" ? at : size - 1 - at)] = left % 256;
        left = Math.floor(left / 256);
      }
      return start + size;
    });
  }

  // Callable without new, as older codecs do.
  function Buffer(value, encoding, length) {
    return typeof value === "number" ? new Bytes(value) : Bytes.from(value, encoding, length);
  }
  Buffer.prototype = Bytes.prototype;
  for (const name of ["from", "alloc", "concat", "compare", "isBuffer", "isEncoding", "byteLength"]) {
    Buffer[name] = Bytes[name];
  }
  Buffer.allocUnsafe = Bytes.alloc;
  Object.defineProperty(Buffer, Symbol.species, { get: () => Bytes });
  Object.defineProperty(Bytes.prototype, "constructor", { value: Buffer, writable: true, configurable: true });
  Object.defineProperty(world, "Buffer", { value: Buffer, writable: true, configurable: true, enumerable: false });
})(globalThis);
