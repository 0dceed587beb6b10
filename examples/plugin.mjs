#!/usr/bin/env node
/*
 * An authentication plugin for PuTTY and its kin (PuTTY manual, appendix H), for Node.js 18 or
 * later, without any package.  It answers keyboard-interactive prompts from its command line, or
 * asks the user.  The habits that any plugin should have:
 *
 *   - A length is checked before anything waits for it, and against what is left of its frame
 *     before anything follows it.  What is held grows with what came, never with what was claimed.
 *   - Standard output carries the protocol and nothing else (so no console.log).
 *   - A violation gets one line on standard error, exit status 1 and no answer.  The line never
 *     repeats what came in: that might be a password.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { appendFileSync } from 'node:fs';

const MAX_FRAME = 262_144; // the largest length field that is accepted or sent
const VERSION = 2;
const USAGE = `\
usage: plugin [--username NAME] [--answer PROMPT=RESPONSE]... [--ask]
              [--fail-init MESSAGE] [--reject MESSAGE] [--log FILE]
`;

const PLUGIN_INIT = 1;
const PLUGIN_INIT_RESPONSE = 2;
const PLUGIN_PROTOCOL = 3;
const PLUGIN_PROTOCOL_ACCEPT = 4;
const PLUGIN_PROTOCOL_REJECT = 5;
const PLUGIN_AUTH_SUCCESS = 6;
const PLUGIN_AUTH_FAILURE = 7;
const PLUGIN_INIT_FAILURE = 8;
const PLUGIN_KI_SERVER_REQUEST = 20;
const PLUGIN_KI_SERVER_RESPONSE = 21;
const PLUGIN_KI_USER_REQUEST = 22;
const PLUGIN_KI_USER_RESPONSE = 23;

function require(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

/** Bytes that arrived and were not taken yet.  Doubling keeps single bytes at linear cost. */
class Held {
  #bytes = Buffer.alloc(4096);
  length = 0;

  add(chunk) {
    const length = this.length + chunk.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.length);
    this.length = length;
  }

  /** Takes the next frame's type byte and fields, or nothing where they are not whole yet. */
  takeFrame() {
    if (this.length < 4) return undefined;
    const length = this.#bytes.readUInt32BE(0);
    require(length >= 1, 'a frame is empty');
    require(length <= MAX_FRAME, `a frame is longer than ${MAX_FRAME} bytes`);
    if (this.length < 4 + length) return undefined;
    const frame = Buffer.from(this.#bytes.subarray(4, 4 + length)); // a copy
    this.#bytes.copyWithin(0, 4 + length, this.length);
    this.length -= 4 + length;
    return frame;
  }
}

/** The fields of one frame, taken one after the other. */
class Fields {
  #frame;
  #at = 1; // behind the type byte

  constructor(frame) {
    this.#frame = frame;
  }

  #take(length) {
    const left = this.#frame.length - this.#at;
    require(length <= left, 'a field is longer than what is left of its frame');
    this.#at += length;
    return this.#frame.subarray(this.#at - length, this.#at);
  }

  uint32() {
    return this.#take(4).readUInt32BE(0);
  }

  boolean() {
    const byte = this.#take(1)[0];
    require(byte <= 1, 'a boolean is neither 0 nor 1');
    return byte === 1;
  }

  utf8() {
    const bytes = this.#take(this.uint32());
    require(isUtf8(bytes), 'a text is not UTF-8');
    return bytes.toString('utf8'); // which, unlike TextDecoder, keeps a byte order mark
  }

  ascii() {
    const bytes = this.#take(this.uint32());
    require(isAscii(bytes), 'a method or language is not ASCII');
    return bytes.toString('latin1'); // Node's 'ascii' would do for ASCII, but it hides mistakes
  }

  /** Takes a count of items, each of `least` bytes or more, and reads so many of them. */
  list(least, readItem) {
    const count = this.uint32();
    const left = this.#frame.length - this.#at;
    require(count <= left / least, 'a count is larger than its frame can hold');
    return Array.from({ length: count }, readItem);
  }

  end() {
    require(this.#at === this.#frame.length, 'bytes are left over behind the last field');
  }
}

function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value) {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint32(bytes.length), bytes]);
}

const held = new Held();
let state = 'START';
let prompts = []; // the server's, kept while the user is asked
let asked = []; // those of them that the user was asked

/** Sends a message, unless the client has spoken again without waiting for it (H.1). */
function send(type, fields) {
  require(held.length === 0, 'the client spoke out of turn');
  const body = Buffer.concat([Buffer.of(type), ...fields]);
  require(body.length <= MAX_FRAME, 'the answer does not fit into a frame');
  process.stdout.write(Buffer.concat([uint32(body.length), body]));
}

/** Answers the server; what the user was asked is taken from the user's responses. */
function sendServerResponse(fromUser) {
  const given = fromUser.values();
  const { answers } = options;
  const responses = prompts.map((prompt) => answers.get(prompt) ?? given.next().value ?? '');
  send(PLUGIN_KI_SERVER_RESPONSE, [uint32(responses.length), ...responses.map(text)]);
  return 'AUTHENTICATING';
}

function onOutcome(fields, line) {
  fields.end();
  if (options.log !== undefined) appendFileSync(options.log, line);
  return 'IDLE';
}

/** What the client may say: for each state, its messages; each returns the state that follows. */
const handlers = {
  START: {
    [PLUGIN_INIT](fields) {
      const version = fields.uint32();
      fields.utf8(); // host name
      fields.uint32(); // port
      fields.utf8(); // the user name, where the client has one in mind
      fields.end();
      const tooOld = 'This plugin speaks version 2 of the plugin protocol, and no older one.';
      const failure = options.failInit ?? (version < VERSION ? tooOld : undefined);
      if (failure !== undefined) {
        send(PLUGIN_INIT_FAILURE, [text(failure)]);
        return 'ENDED';
      }
      send(PLUGIN_INIT_RESPONSE, [uint32(VERSION), text(options.username)]);
      return 'IDLE';
    },
  },
  IDLE: {
    [PLUGIN_PROTOCOL](fields) {
      const isKnown = fields.ascii() === 'keyboard-interactive';
      fields.end();
      if (isKnown && options.reject === undefined) {
        send(PLUGIN_PROTOCOL_ACCEPT, []);
        return 'AUTHENTICATING';
      }
      send(PLUGIN_PROTOCOL_REJECT, [text(isKnown ? options.reject : '')]);
      return 'IDLE';
    },
  },
  AUTHENTICATING: {
    [PLUGIN_KI_SERVER_REQUEST](fields) {
      const [name, instructions, language] = [fields.utf8(), fields.utf8(), fields.ascii()];
      const pairs = fields.list(5, () => [fields.utf8(), fields.boolean()]);
      fields.end();
      prompts = pairs.map(([prompt]) => prompt);
      asked = options.ask ? pairs.filter(([prompt]) => !options.answers.has(prompt)) : [];
      if (asked.length === 0) return sendServerResponse([]);
      const questions = asked.flatMap(([prompt, echo]) => [text(prompt), Buffer.of(echo ? 1 : 0)]);
      const start = [name, instructions, language].map(text);
      send(PLUGIN_KI_USER_REQUEST, [...start, uint32(asked.length), ...questions]);
      return 'ASKING_USER';
    },
    [PLUGIN_AUTH_SUCCESS]: (fields) => onOutcome(fields, 'success\n'),
    [PLUGIN_AUTH_FAILURE]: (fields) => onOutcome(fields, 'failure\n'),
  },
  ASKING_USER: {
    [PLUGIN_KI_USER_RESPONSE](fields) {
      const responses = fields.list(4, () => fields.utf8());
      fields.end();
      require(responses.length === asked.length, 'there are not as many responses as prompts');
      return sendServerResponse(responses);
    },
  },
  ENDED: {},
};

/** Returns what the command line says, or nothing where it is wrong. */
function readOptions(words) {
  const read = { username: '', answers: new Map(), ask: false };
  for (let i = 0; i < words.length; i++) {
    const name = words[i];
    if (name === '--ask') {
      read.ask = true;
      continue;
    }
    const value = words[++i];
    if (value === undefined) return undefined;
    const equals = value.indexOf('=');
    if (name === '--username') read.username = value;
    else if (name === '--fail-init') read.failInit = value;
    else if (name === '--reject') read.reject = value;
    else if (name === '--log') read.log = value;
    else if (name !== '--answer' || equals < 0) return undefined;
    else read.answers.set(value.slice(0, equals), value.slice(equals + 1));
  }
  return read;
}

function stop(status, line) {
  process.stderr.write(line);
  process.exitCode = status;
  process.stdin.destroy(); // nothing keeps Node.js running any longer
}

function onData(chunk) {
  held.add(chunk);
  for (let frame; (frame = held.takeFrame()) !== undefined; ) {
    const handler = handlers[state][frame[0]];
    require(handler, 'a message of this type is unknown, or may not be sent now');
    state = handler(new Fields(frame));
  }
}

/** Between two frames, the end of the input is the client's farewell (H.5). */
function onEnd() {
  require(held.length === 0, 'the input ends inside a frame');
}

/** Takes a step of the conversation; what goes wrong in it ends the plugin. */
function step(action, argument) {
  try {
    action(argument);
  } catch (error) {
    stop(1, `plugin: ${error.message}\n`);
  }
}

const options = readOptions(process.argv.slice(2));
if (options === undefined) {
  stop(2, USAGE);
} else {
  process.stdin.on('data', (chunk) => step(onData, chunk));
  process.stdin.on('end', () => step(onEnd));
  process.stdin.on('error', (error) => stop(1, `plugin: ${error.message}\n`));
  process.stdout.on('error', (error) => {
    if (error.code === 'EPIPE') process.exit(); // the client has gone, as it may at any time
    stop(1, `plugin: ${error.message}\n`);
  });
}
