// Reads the corpus and checks it, by corpus/FORMAT.md alone: what somebody writes in an afternoon
// who has another language. Decodes every message with a decoder of its own, and follows whose turn
// it is through every dialogue.
//
//     node loader.mjs FOLDER
//
// Prints, as JSON, what was checked, what was left out, and every problem; exits 1 where there is one.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { DEFAULTS, LeftOut, MESSAGES, Refused, USER_AUTH, decode, decodePayload, encode, encodePayload } from "./messages.mjs";

const FORMAT = 1;

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

// Vectors.

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const known = (object, names, what) => {
  for (const name of Object.keys(object)) if (!names.includes(name)) throw new LeftOut(`${what} ${name}`);
};

function checkMessage(vector, problem) {
  checkRead(vector, problem, (limits) => decode(Buffer.from(vector.bytes, "hex"), limits));
}

function checkRead(vector, problem, read) {
  known(vector.limits ?? {}, ["frame", "text", "count"], "limit");
  const limits = { ...DEFAULTS, ...vector.limits };
  try {
    const message = read(limits);
    if (vector.result !== "valid") problem(`is taken: ${JSON.stringify(message)}`);
    else if (!same(message, vector.message)) problem(`is read as ${JSON.stringify(message)}`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { code, field, offset } = vector.error ?? {};
    if (error.code !== code || error.field !== field || error.offset !== offset)
      problem(`is refused with ${error.message}`);
  }
}

function checkUserAuth(vector, problem) {
  if (vector.turns !== undefined) checkWithServer(vector, problem);
  else checkPayload(vector, problem);
}

function checkPayload(vector, problem) {
  checkRead(vector, problem, (limits) =>
    decodePayload(Buffer.from(vector.payload, "hex"), limits, vector.method));
}

const SERVER_TURNS = {
  send: ["message", "fault"], expect: [], expect_silence: [], expect_refusal: [], expect_disconnect: [],
};

// A dialogue with a server: the payloads are what they are said to be, and it ends as its result says.
function checkWithServer({ turns, result }, problem) {
  let method = null, loggedIn = false, ended = false;
  for (const turn of turns) {
    const name = Object.keys(SERVER_TURNS).find((each) => each in turn);
    if (name === undefined) throw new LeftOut(`turn ${Object.keys(turn)}`);
    known(turn, [name, ...SERVER_TURNS[name]], `member of ${name}`);
    if (ended) problem("goes on behind its end");
    if (name === "expect") {
      const [, side, under] = USER_AUTH[turn.expect.type] ?? [];
      if (side === undefined) throw new LeftOut(`message ${turn.expect.type}`);
      if (side !== "server") problem(`expects ${turn.expect.type}`);
      method = under;
      loggedIn ||= turn.expect.type === "SSH_MSG_USERAUTH_SUCCESS";
    }
    if (name === "send") checkSaid(turn, method, problem);
    ended = name === "expect_refusal" || name === "expect_disconnect";
  }
  if (result !== "acceptable" && loggedIn !== (result === "valid")) problem("does not fit its result");
}

function checkSaid({ send, message, fault }, method, problem) {
  const payload = Buffer.from(send, "hex");
  if (message !== undefined) {
    if (!encodePayload(message).equals(payload)) problem(`sends no ${message.type}`);
    return;
  }
  try {
    const { type } = decodePayload(payload, DEFAULTS, method);
    if (fault.code !== "wrong-side" || USER_AUTH[type]?.[1] !== "server") problem(`sends ${type}, which is right`);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code !== fault.code) problem(`is refused with ${error.code}, not ${fault.code}`);
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
  userauth: checkUserAuth,
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
