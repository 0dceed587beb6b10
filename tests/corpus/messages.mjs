// The messages of corpus/FORMAT.md, read and written by that text alone.

// The tables of FORMAT.md.

const REQUEST = [["name", "utf8"], ["instructions", "utf8"], ["language", "ascii"], ["prompts", "prompts"]];
const RESPONSE = [["responses", "responses"]];
export const MESSAGES = {
  PLUGIN_INIT: [1, "client", [["version", "uint32"], ["hostname", "utf8"], ["port", "uint32"], ["username", "utf8"]]],
  PLUGIN_INIT_RESPONSE: [2, "plugin", [["version", "uint32"], ["username", "utf8"]]],
  PLUGIN_PROTOCOL: [3, "client", [["method", "ascii"]]],
  PLUGIN_PROTOCOL_ACCEPT: [4, "plugin", []],
  PLUGIN_PROTOCOL_REJECT: [5, "plugin", [["message", "utf8"]]],
  PLUGIN_AUTH_SUCCESS: [6, "client", []],
  PLUGIN_AUTH_FAILURE: [7, "client", []],
  PLUGIN_INIT_FAILURE: [8, "plugin", [["message", "utf8"]]],
  PLUGIN_KI_SERVER_REQUEST: [20, "client", REQUEST],
  PLUGIN_KI_SERVER_RESPONSE: [21, "plugin", RESPONSE],
  PLUGIN_KI_USER_REQUEST: [22, "plugin", REQUEST],
  PLUGIN_KI_USER_RESPONSE: [23, "client", RESPONSE],
};
const NAMES = Object.fromEntries(Object.entries(MESSAGES).map(([name, [code]]) => [code, name]));
export const DEFAULTS = { frame: 262144, text: 65536, count: 1024 };

export class Refused extends Error {
  constructor(code, offset, field) {
    super(`${code} at ${offset}${field ? ` in ${field}` : ""}`);
    Object.assign(this, { code, offset, field });
  }
}
export class LeftOut extends Error {}

// Bytes to messages.

function badUtf8At(bytes) {
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at];
    let more = 0, low = 0x80, high = 0xbf;
    if (first < 0x80) more = 0;
    else if (first >= 0xc2 && first <= 0xdf) more = 1;
    else if (first >= 0xe0 && first <= 0xef) {
      more = 2;
      if (first === 0xe0) low = 0xa0;
      if (first === 0xed) high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      more = 3;
      if (first === 0xf0) low = 0x90;
      if (first === 0xf4) high = 0x8f;
    } else return at;
    for (let index = 1; index <= more; index++) {
      const byte = bytes[at + index];
      if (byte === undefined || byte < low || byte > high) return at;
      low = 0x80;
      high = 0xbf;
    }
    at += 1 + more;
  }
  return -1;
}

class Reader {
  constructor(frame, limits, at = 5) {
    Object.assign(this, { frame, limits, at });
  }
  left() {
    return this.frame.length - this.at;
  }
  number(field) {
    if (this.left() < 4) throw new Refused("field-truncated", this.at, field);
    return this.frame.readUInt32BE(this.at);
  }
  uint32(field) {
    const value = this.number(field);
    this.at += 4;
    return value;
  }
  bytes(field) {
    const size = this.number(field);
    if (size > this.limits.text) throw new Refused("string-too-long", this.at, field);
    if (size > this.left() - 4) throw new Refused("field-truncated", this.at, field);
    const start = this.at + 4;
    this.at = start + size;
    return this.frame.subarray(start, start + size);
  }
  string(field, wrongAt, code) {
    const start = this.at + 4;
    const bytes = this.bytes(field);
    const wrong = wrongAt(bytes);
    if (wrong >= 0) throw new Refused(code, start + wrong, field);
    return bytes.toString("utf8");
  }
  utf8(field) {
    return this.string(field, badUtf8At, "bad-utf8");
  }
  ascii(field) {
    return this.string(field, (bytes) => bytes.findIndex((byte) => byte > 127), "bad-ascii");
  }
  boolean(field) {
    if (this.left() < 1) throw new Refused("field-truncated", this.at, field);
    const byte = this.frame[this.at];
    if (byte > 1) throw new Refused("bad-boolean", this.at, field);
    this.at += 1;
    return byte === 1;
  }
  opaque(field) {
    return { hex: this.bytes(field).toString("hex") };
  }
  rest() {
    const bytes = this.frame.subarray(this.at);
    this.at = this.frame.length;
    return { hex: bytes.toString("hex") };
  }
  names(field) {
    const start = this.at + 4;
    const list = this.ascii(field);
    let at = start;
    for (const name of list === "" ? [] : list.split(",")) {
      if (name === "") throw new Refused("bad-name-list", at, field);
      at += name.length + 1;
    }
    return list;
  }
  counted(field, least, read) {
    const count = this.number(field);
    if (count > this.limits.count) throw new Refused("count-too-large", this.at, field);
    if (count * least > this.left() - 4) throw new Refused("count-impossible", this.at, field);
    this.at += 4;
    return Array.from({ length: count }, (_, index) => read(`${field}[${index}]`));
  }
  prompts(field) {
    return this.counted(field, 5, (each) => ({
      prompt: this.utf8(`${each}.prompt`),
      echo: this.boolean(`${each}.echo`),
    }));
  }
  responses(field) {
    return this.counted(field, 4, (each) => this.utf8(each));
  }
}

export function decode(bytes, limits = DEFAULTS) {
  if (bytes.length < 4) throw new Refused("end-truncated", bytes.length);
  const length = bytes.readUInt32BE(0);
  if (length === 0) throw new Refused("frame-empty", 0);
  if (length > limits.frame) throw new Refused("frame-too-long", 0);
  if (bytes.length < 4 + length) throw new Refused("end-truncated", bytes.length);
  if (bytes.length > 4 + length) throw new Refused("trailing-bytes", 4 + length);
  const type = NAMES[bytes[4]];
  if (type === undefined) throw new Refused("unknown-type", 4);
  const reader = new Reader(bytes, limits);
  const message = { type };
  for (const [field, kind] of MESSAGES[type][2]) message[field] = reader[kind](field);
  if (reader.left() > 0) throw new Refused("trailing-bytes", reader.at);
  return message;
}

// Messages to bytes.

function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
function string(value) {
  const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : Buffer.from(value.hex, "hex");
  return Buffer.concat([uint32(bytes.length), bytes]);
}
const WRITERS = {
  uint32,
  utf8: string,
  ascii: string,
  names: string,
  opaque: string,
  rest: ({ hex }) => Buffer.from(hex, "hex"),
  boolean: (value) => Buffer.from([value ? 1 : 0]),
  prompts: (value) => Buffer.concat([
    uint32(value.length),
    ...value.flatMap(({ prompt, echo }) => [string(prompt), Buffer.from([echo ? 1 : 0])]),
  ]),
  responses: (value) => Buffer.concat([uint32(value.length), ...value.map(string)]),
};
export function encode(message) {
  if (!(message.type in MESSAGES)) throw new LeftOut(`message ${message.type}`);
  const [code, , fields] = MESSAGES[message.type];
  const body = fields.map(([field, kind]) => WRITERS[kind](message[field]));
  const contents = Buffer.concat([Buffer.from([code]), ...body]);
  return Buffer.concat([uint32(contents.length), contents]);
}

// SSH's user authentication.

const REQUESTED = {
  none: { "": [] },
  password: { false: [["password", "utf8"]], true: [["password", "utf8"], ["new_password", "utf8"]] },
  publickey: {
    false: [["algorithm", "ascii"], ["blob", "opaque"]],
    true: [["algorithm", "ascii"], ["blob", "opaque"], ["signature", "opaque"]],
  },
  "keyboard-interactive": { "": [["language", "ascii"], ["submethods", "utf8"]] },
};
const TELLS_APART = { password: "change", publickey: "has_signature" };
const HEAD = [["user", "utf8"], ["service", "ascii"], ["method", "ascii"]];
const OTHER = [["rest", "rest"]];
export const USER_AUTH = {
  SSH_MSG_USERAUTH_FAILURE: [51, "server", null, [["methods", "names"], ["partial_success", "boolean"]]],
  SSH_MSG_USERAUTH_SUCCESS: [52, "server", null, []],
  SSH_MSG_USERAUTH_BANNER: [53, "server", null, [["message", "utf8"], ["language", "ascii"]]],
  SSH_MSG_USERAUTH_PASSWD_CHANGEREQ: [60, "server", "password", [["prompt", "utf8"], ["language", "ascii"]]],
  SSH_MSG_USERAUTH_PK_OK: [60, "server", "publickey", [["algorithm", "ascii"], ["blob", "opaque"]]],
  SSH_MSG_USERAUTH_INFO_REQUEST: [60, "server", "keyboard-interactive", REQUEST],
  SSH_MSG_USERAUTH_INFO_RESPONSE: [61, "client", "keyboard-interactive", RESPONSE],
};
export const USER_AUTH_REQUEST = "SSH_MSG_USERAUTH_REQUEST";

function readRequest(reader, message) {
  const read = (fields) => {
    for (const [field, kind] of fields) message[field] = reader[kind](field);
  };
  read(HEAD);
  const kinds = Object.hasOwn(REQUESTED, message.method) ? REQUESTED[message.method] : { "": OTHER };
  const boolean = TELLS_APART[message.method];
  if (boolean !== undefined) read([[boolean, "boolean"]]);
  read(kinds[message[boolean] ?? ""]);
}

// Offsets of what is wrong are those in the payload.
export function decodePayload(payload, limits = DEFAULTS, method = null) {
  if (payload.length === 0) throw new Refused("frame-empty", 0);
  if (payload.length > limits.frame) throw new Refused("frame-too-long", 0);
  const message = {};
  const reader = new Reader(payload, limits, 1);
  if (payload[0] === 50) {
    message.type = USER_AUTH_REQUEST;
    readRequest(reader, message);
  } else {
    const found = Object.entries(USER_AUTH).find(
      ([, [code, , under]]) => code === payload[0] && (under === null || under === method),
    );
    if (found === undefined) throw new Refused("unknown-type", 0);
    message.type = found[0];
    for (const [field, kind] of found[1][3]) message[field] = reader[kind](field);
  }
  if (reader.left() > 0) throw new Refused("trailing-bytes", reader.at);
  return message;
}

export function encodePayload(message) {
  let [code, fields] = [50, HEAD];
  if (message.type === USER_AUTH_REQUEST) {
    const boolean = TELLS_APART[message.method];
    if (boolean !== undefined) fields = [...fields, [boolean, "boolean"]];
    fields = [...fields, ...(REQUESTED[message.method]?.[message[boolean] ?? ""] ?? OTHER)];
  } else if (message.type in USER_AUTH) [code, , , fields] = USER_AUTH[message.type];
  else throw new LeftOut(`message ${message.type}`);
  const body = fields.map(([field, kind]) => WRITERS[kind](message[field]));
  return Buffer.concat([Buffer.from([code]), ...body]);
}
