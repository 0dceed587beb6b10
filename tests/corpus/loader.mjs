// Reads the corpus and checks it, by corpus/FORMAT.md alone: what somebody writes in an afternoon
// who has another language. Decodes every message with a decoder of its own, and follows whose turn
// it is through every dialogue.
//
//     node loader.mjs FOLDER
//
// Prints, as JSON, what was checked, what was left out, and every problem; exits 1 where there is one.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const FORMAT = 1;

// The tables of FORMAT.md.

const REQUEST = [["name", "utf8"], ["instructions", "utf8"], ["language", "ascii"], ["prompts", "prompts"]];
const RESPONSE = [["responses", "responses"]];
const MESSAGES = {
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
const DEFAULTS = { frame: 262144, text: 65536, count: 1024 };

// Who may say what when, by the published text (H.5, H.6).
const NEXT = {
  start: { PLUGIN_INIT: "init" },
  init: { PLUGIN_INIT_RESPONSE: "idle", PLUGIN_INIT_FAILURE: "over" },
  idle: { PLUGIN_PROTOCOL: "offered" },
  offered: { PLUGIN_PROTOCOL_ACCEPT: "attempt", PLUGIN_PROTOCOL_REJECT: "idle" },
  attempt: { PLUGIN_KI_SERVER_REQUEST: "asked", PLUGIN_AUTH_SUCCESS: "idle", PLUGIN_AUTH_FAILURE: "idle" },
  asked: { PLUGIN_KI_SERVER_RESPONSE: "attempt", PLUGIN_KI_USER_REQUEST: "asking" },
  asking: { PLUGIN_KI_USER_RESPONSE: "asked" },
  over: {},
};
const turnOf = (state) => {
  const [name] = Object.keys(NEXT[state]);
  return name === undefined ? null : MESSAGES[name][1];
};

class Refused extends Error {
  constructor(code, offset, field) {
    super(`${code} at ${offset}${field ? ` in ${field}` : ""}`);
    Object.assign(this, { code, offset, field });
  }
}
class LeftOut extends Error {}

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
  constructor(frame, limits) {
    Object.assign(this, { frame, limits, at: 5 });
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
  string(field, wrongAt, code) {
    const size = this.number(field);
    if (size > this.limits.text) throw new Refused("string-too-long", this.at, field);
    if (size > this.left() - 4) throw new Refused("field-truncated", this.at, field);
    const start = this.at + 4;
    const bytes = this.frame.subarray(start, start + size);
    const wrong = wrongAt(bytes);
    if (wrong >= 0) throw new Refused(code, start + wrong, field);
    this.at = start + size;
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

function decode(bytes, limits = DEFAULTS) {
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
  prompts: (value) => Buffer.concat([
    uint32(value.length),
    ...value.flatMap(({ prompt, echo }) => [string(prompt), Buffer.from([echo ? 1 : 0])]),
  ]),
  responses: (value) => Buffer.concat([uint32(value.length), ...value.map(string)]),
};
function encode(message) {
  if (!(message.type in MESSAGES)) throw new LeftOut(`message ${message.type}`);
  const [code, , fields] = MESSAGES[message.type];
  const body = fields.map(([field, kind]) => WRITERS[kind](message[field]));
  const contents = Buffer.concat([Buffer.from([code]), ...body]);
  return Buffer.concat([uint32(contents.length), contents]);
}

// Vectors.

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const known = (object, names, what) => {
  for (const name of Object.keys(object)) if (!names.includes(name)) throw new LeftOut(`${what} ${name}`);
};

function checkMessage(vector, problem) {
  known(vector.limits ?? {}, ["frame", "text", "count"], "limit");
  const limits = { ...DEFAULTS, ...vector.limits };
  try {
    const message = decode(Buffer.from(vector.bytes, "hex"), limits);
    if (vector.result !== "valid") problem(`is taken: ${JSON.stringify(message)}`);
    else if (!same(message, vector.message)) problem(`is read as ${JSON.stringify(message)}`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { code, field, offset } = vector.error ?? {};
    if (error.code !== code || error.field !== field || error.offset !== offset)
      problem(`is refused with ${error.message}`);
  }
}

const TURNS = {
  send: ["messages", "fault", "hold_back", "edges"], end_of_input: ["fault"], allow: ["lenient"],
  expect: [], expect_silence: [], end_of_output: [], expect_end: [], server: [], user: [],
};
const RELATIONS = ["equals", "at_least", "at_most", "count"];

function nameOfTurn(turn) {
  const name = Object.keys(TURNS).find((each) => each in turn);
  if (name === undefined) throw new LeftOut(`turn ${Object.keys(turn)}`);
  known(turn, [name, ...TURNS[name]], `member of ${name}`);
  return name;
}

class Conversation {
  constructor(program, problem) {
    Object.assign(this, { program, problem, state: "start", offer: null, method: null, fault: null });
    Object.assign(this, { closed: false, unheard: false });
    this.peer = program === "plugin" ? "client" : "plugin";
    this.asked = {};
  }
  // What is wrong with a message at this point, by the published text; null where nothing is.
  refusal(side, message) {
    if (this.state === "over") return "session-over";
    if (turnOf(this.state) !== side) return "wrong-turn";
    if (MESSAGES[message.type][1] !== side) return "wrong-side";
    if (!(message.type in NEXT[this.state])) return "wrong-state";
    if (message.type === "PLUGIN_INIT_RESPONSE") {
      if (message.version > this.offer) return "version-above-offer";
      if (message.version !== 2) return "version-unsupported";
    }
    if (message.type === "PLUGIN_PROTOCOL_ACCEPT" && this.method !== "keyboard-interactive") return "method-unknown";
    const request = message.type.replace("RESPONSE", "REQUEST");
    if (message.responses && message.responses.length !== this.asked[request]) return "response-count";
    return null;
  }
  say(side, message) {
    const refusal = this.refusal(side, message);
    if (refusal !== null) return refusal;
    this.state = NEXT[this.state][message.type];
    if (message.type === "PLUGIN_INIT") this.offer = message.version;
    if (message.type === "PLUGIN_PROTOCOL") this.method = message.method;
    if (message.prompts) this.asked[message.type] = message.prompts.length;
    return null;
  }
  // Why bytes behind the good messages are refused, with the end of the input behind them.
  refusalOfBytes(bytes) {
    if (this.state === "over") return "session-over";
    if (turnOf(this.state) !== this.peer) return "wrong-turn";
    const size = bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
    try {
      return this.say(this.peer, decode(size > 0 ? bytes.subarray(0, 4 + size) : bytes.subarray(0, 4)));
    } catch (error) {
      if (error instanceof Refused) return error.code;
      throw error;
    }
  }
  send({ send, messages = [], fault, hold_back: held = 0, edges = [] }) {
    if (this.fault || this.closed) this.problem("sends behind a fault or the end");
    let rest = Buffer.from(send, "hex");
    if (held >= rest.length) this.problem("holds everything back");
    if (edges.some((edge, index) => edge <= (edges[index - 1] ?? 0) || edge >= rest.length))
      this.problem("has edges that cut nothing");
    for (const message of messages) {
      const frame = encode(message);
      if (!rest.subarray(0, frame.length).equals(frame)) this.problem(`sends no ${message.type}`);
      const refusal = this.say(this.peer, message);
      if (refusal !== null) this.problem(`sends ${message.type}: ${refusal}`);
      rest = rest.subarray(frame.length);
    }
    this.fault = fault ?? null;
    if ((rest.length > 0) !== Boolean(fault)) this.problem("has bytes without a fault, or the opposite");
    else if (fault) this.compare(this.refusalOfBytes(rest), fault);
  }
  compare(code, fault) {
    if (code !== fault.code) this.problem(`is refused with ${code}, not ${fault.code}`);
  }
  // Whether a message could be what is expected, or allowed: only the constraints are known of it.
  check(expected) {
    const [, side, fields] = MESSAGES[expected.type] ?? [];
    if (side === undefined) throw new LeftOut(`message ${expected.type}`);
    if (side !== this.program) this.problem(`expects ${expected.type}, which a ${side} says`);
    known(expected, ["type", ...fields.map(([name]) => name)], "field");
    for (const [, constraints] of Object.entries(expected))
      if (typeof constraints === "object") known(constraints, RELATIONS, "constraint");
  }
  expect({ expect }) {
    if (this.fault || this.closed || this.unheard) this.problem("expects something behind a fault or the end");
    this.check(expect);
    const { version, method, prompts, responses } = expect;
    const said = { type: expect.type };
    said.version = version && (version.equals ?? Math.min(version.at_most ?? 2, 2));
    said.method = method?.equals ?? (expect.type === "PLUGIN_PROTOCOL" ? "keyboard-interactive" : undefined);
    for (const [name, constraint] of Object.entries({ prompts, responses }))
      if (constraint) said[name] = constraint.equals ?? Array(constraint.count).fill("");
    const refusal = this.say(this.program, said);
    if (refusal !== null) this.problem(`expects ${expect.type}: ${refusal}`);
  }
  expect_silence() {
    if (turnOf(this.state) !== this.peer) this.problem("expects silence from whose turn it is");
  }
  end_of_input({ fault }) {
    if (this.closed) this.problem("closes the input twice");
    this.closed = true;
    if (fault) {
      const owes = this.peer === "plugin" && turnOf(this.state) === "plugin";
      this.compare(owes ? "end-premature" : null, fault);
      this.fault = fault;
    } else if (!this.fault && this.peer === "plugin" && turnOf(this.state) === "plugin" && this.state !== "start")
      this.problem("ends while the plugin owes a message, and says nothing of that");
  }
  end_of_output() {
    if (this.unheard) this.problem("closes the output twice");
    this.unheard = true;
  }
  allow({ allow }) {
    if (!this.closed || this.unheard) this.problem("allows something before the end of the input");
    allow.forEach((each) => this.check(each));
  }
  expect_end() {
    if (!this.closed) this.problem("expects an end before that of the input");
    this.over = true;
  }
  server() {
    if (this.program !== "client") this.problem("has a server or a user");
  }
  user() {
    this.server();
  }
}

function checkDialogue(vector, program, problem) {
  const names = vector.turns.map(nameOfTurn);
  const conversation = new Conversation(program, problem);
  vector.turns.forEach((turn, index) => {
    if (conversation.over) problem("goes on behind its end");
    conversation[names[index]](turn);
  });
  if (!conversation.over) problem("has no end");
  if ((conversation.fault === null) !== (vector.result === "valid")) problem("does not fit its result");
}

// Files.

const DELIVERIES = ["whole", "byte-by-byte", "field-edges", "coalesced"];
const CHECKS = {
  messages: checkMessage,
  "plugin-dialogues": (vector, problem) => checkDialogue(vector, "plugin", problem),
  "client-dialogues": (vector, problem) => checkDialogue(vector, "client", problem),
};

function readJson(...path) {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(join(...path))));
}

function readCorpus(folder) {
  const found = { checked: {}, cases: [], leftOut: [], problems: [] };
  const { flags } = readJson(folder, "flags.json");
  const { retired } = readJson(folder, "retired.json");
  const ids = new Set(Object.keys(retired));
  for (const file of readdirSync(join(folder, "vectors")).sort()) {
    const { format, kind, vectors } = readJson(folder, "vectors", file);
    if (format > FORMAT) found.problems.push(`${file}: format ${format}`);
    else if (!(kind in CHECKS)) found.leftOut.push(`${file}: kind ${kind}`);
    else for (const vector of vectors) checkVector(found, vector, kind, flags, ids);
  }
  return found;
}

function checkVector(found, vector, kind, flags, ids) {
  const { id, result, deliveries = [] } = vector;
  const problem = (text) => found.problems.push(`${id}: ${text}`);
  try {
    if (!["valid", "invalid", "acceptable"].includes(result)) throw new LeftOut(`result ${result}`);
    if (ids.has(id)) problem("is there twice, or is retired");
    ids.add(id);
    const open = vector.flags.some((name) => flags[name]?.ambiguity !== undefined);
    if (open !== (result === "acceptable")) problem("is acceptable without an ambiguity, or the opposite");
    CHECKS[kind](vector, problem);
    for (const delivery of deliveries) {
      const name = delivery === "whole" ? id : `${id}/${delivery}`;
      (DELIVERIES.includes(delivery) ? found.cases : found.leftOut).push(name);
    }
    found.checked[kind] = (found.checked[kind] ?? 0) + 1;
  } catch (error) {
    if (!(error instanceof LeftOut)) throw error;
    found.leftOut.push(`${id}: ${error.message}`);
  }
}

const found = readCorpus(process.argv[2]);
console.log(JSON.stringify(found));
process.exitCode = found.problems.length > 0 ? 1 : 0;
