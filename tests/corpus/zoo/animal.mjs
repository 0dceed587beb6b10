/*
 * A plugin that makes the mistake named by its argument, or lists all with --list; "right" is none.
 * It shares no code with the project, and each mistake is one that is made in Node.js.
 */
import { isAscii, isUtf8 } from 'node:buffer';

const MISTAKES = [
  'right',
  'chunk-is-message', // I took every chunk for one message.
  'frames-within-chunk', // I took the frames out of a chunk, and dropped what was left of it.
  'one-frame-per-chunk', // I took one frame out of what had come, and waited for the next chunk.
  'reads-text', // I called setEncoding('utf8'), and made the text bytes again.
  'writes-text', // I wrote messages as strings, which are UTF-8 then.
  'length-in-characters', // I wrote text.length, and not Buffer.byteLength(text).
  'logs', // I left a console.log in.
  'keeps-timer', // I started a timer that keeps Node.js running.
  'allocates-count', // I filled an array as long as the count says.
  'clears-claimed-length', // I allocated and filled what the length asked for, up to 1 GiB.
  'answers-later', // I let an asynchronous handler run while the next message came.
  'throws-at-end', // I took the end of the input for an error, and threw it.
  'exits-on-write', // I called process.exit() when I had given the response.
];
const mistake = process.argv[2];
if (mistake === '--list') {
  process.stdout.write(`${MISTAKES.join('\n')}\n`);
  process.exit();
}
if (!MISTAKES.includes(mistake)) process.exit(2);
const makes = (name) => mistake === name;

const LIMIT = 262_144;
const [INIT, INIT_RESPONSE, PROTOCOL, ACCEPT, REJECT, SUCCESS, FAILURE] = [1, 2, 3, 4, 5, 6, 7];
const [INIT_FAILURE, SERVER_REQUEST, SERVER_RESPONSE, USER_REQUEST, USER_RESPONSE] = [
  8, 20, 21, 22, 23,
];

function require(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

class Fields {
  at = 1;

  constructor(frame) {
    this.frame = frame;
  }

  get left() {
    return this.frame.length - this.at;
  }

  take(length) {
    require(length <= this.left, 'a field is cut short');
    this.at += length;
    return this.frame.subarray(this.at - length, this.at);
  }

  uint32() {
    return this.take(4).readUInt32BE(0);
  }

  boolean() {
    const byte = this.take(1)[0];
    require(byte <= 1, 'a boolean is neither 0 nor 1');
    return byte === 1;
  }

  utf8() {
    const bytes = this.take(this.uint32());
    require(isUtf8(bytes), 'a text is not UTF-8');
    return bytes.toString();
  }

  ascii() {
    const bytes = this.take(this.uint32());
    require(isAscii(bytes), 'a text is not ASCII');
    return bytes.toString('latin1');
  }

  list(least, item) {
    const count = this.uint32();
    const room = makes('allocates-count') ? new Array(count).fill('') : [];
    require(count <= this.left / least, 'a count is too large');
    for (let i = 0; i < count; i++) room[i] = item();
    return room;
  }

  end() {
    require(this.left === 0, 'bytes are left over');
  }
}

function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value) {
  const bytes = Buffer.from(value);
  const length = makes('length-in-characters') ? value.length : bytes.length;
  return Buffer.concat([uint32(length), bytes]);
}

function send(type, ...fields) {
  const body = Buffer.concat([Buffer.of(type), ...fields]);
  const frame = Buffer.concat([uint32(body.length), body]);
  process.stdout.write(makes('writes-text') ? frame.toString('latin1') : frame);
}

let state = 'START';
let prompts = []; // the server's, each with its echo
let asked = []; // those that went to the user: all that are not called a password
const asks = makes('length-in-characters') || makes('writes-text');

function respond(fromUser) {
  const given = fromUser.values();
  const responses = prompts.map((each) => (asked.includes(each) ? given.next().value : 'hunter2'));
  send(SERVER_RESPONSE, uint32(responses.length), ...responses.map(text));
  if (makes('exits-on-write')) process.exit();
  return 'AUTHENTICATING';
}

function onInit(fields) {
  const version = fields.uint32();
  fields.utf8();
  fields.uint32();
  fields.utf8();
  fields.end();
  if (version < 2) {
    send(INIT_FAILURE, text('This plugin speaks version 2.'));
    return 'ENDED';
  }
  send(INIT_RESPONSE, uint32(2), text(''));
  return 'IDLE';
}

function onProtocol(fields) {
  const known = fields.ascii() === 'keyboard-interactive';
  fields.end();
  send(known ? ACCEPT : REJECT, ...(known ? [] : [text('')]));
  return known ? 'AUTHENTICATING' : 'IDLE';
}

function onChallenge(fields) {
  if (makes('logs')) console.log('a challenge of', fields.left, 'bytes');
  fields.utf8();
  fields.utf8();
  fields.ascii();
  prompts = fields.list(5, () => [fields.utf8(), fields.boolean()]);
  fields.end();
  asked = prompts.filter(([prompt]) => asks && prompt !== 'Password: ');
  if (asked.length === 0) return respond([]);
  const questions = asked.flatMap(([prompt, echo]) => [text(prompt), Buffer.of(echo ? 1 : 0)]);
  send(USER_REQUEST, ...['', '', ''].map(text), uint32(asked.length), ...questions);
  return 'ASKING_USER';
}

function onUserResponse(fields) {
  const responses = fields.list(4, () => fields.utf8());
  fields.end();
  require(responses.length === asked.length, 'not as many responses as prompts');
  return respond(responses);
}

function onOutcome(fields) {
  fields.end();
  return 'IDLE';
}

const handlers = {
  START: { [INIT]: onInit },
  IDLE: { [PROTOCOL]: onProtocol },
  AUTHENTICATING: {
    [SERVER_REQUEST]: onChallenge,
    [SUCCESS]: onOutcome,
    [FAILURE]: onOutcome,
  },
  ASKING_USER: { [USER_RESPONSE]: onUserResponse },
  ENDED: {},
};

async function onFrameLater(frame) {
  const handler = handlers[state][frame[0]];
  require(handler, 'a message of this type is unknown, or may not be sent now');
  await null; // something that takes a moment, such as a look into a password store
  state = handler(new Fields(frame));
}

function onFrame(frame) {
  if (makes('answers-later')) {
    onFrameLater(frame).catch(stop);
    return;
  }
  const handler = handlers[state][frame[0]];
  require(handler, 'a message of this type is unknown, or may not be sent now');
  state = handler(new Fields(frame));
}

let held = Buffer.alloc(0);

function onData(chunk) {
  if (makes('reads-text')) chunk = Buffer.from(chunk);
  if (makes('chunk-is-message')) {
    onFrame(chunk.subarray(4));
    return;
  }
  held = makes('frames-within-chunk') ? chunk : Buffer.concat([held, chunk]);
  while (held.length >= 4) {
    const length = held.readUInt32BE(0);
    if (makes('clears-claimed-length')) Buffer.alloc(Math.min(length, 2 ** 30)).fill(' ');
    require(length >= 1 && length <= LIMIT, 'a frame is empty or too long');
    if (held.length < 4 + length) break;
    const frame = held.subarray(4, 4 + length);
    held = held.subarray(4 + length);
    onFrame(frame);
    if (makes('one-frame-per-chunk')) break;
  }
}

function stop(error) {
  process.stderr.write(`refused: ${error.message}\n`);
  process.exitCode = 1;
  process.stdin.destroy();
}

if (makes('reads-text')) process.stdin.setEncoding('utf8');
if (makes('keeps-timer')) setInterval(() => {}, 3_600_000);
process.stdin.on('data', (chunk) => {
  try {
    onData(chunk);
  } catch (error) {
    stop(error);
  }
});
process.stdin.on('end', () => {
  if (makes('throws-at-end')) throw new Error('unexpected end of input');
  const isWhole = held.length === 0 || makes('frames-within-chunk');
  if (!isWhole) stop(new Error('the input ends inside a frame'));
});
process.stdout.on('error', () => process.exit());
