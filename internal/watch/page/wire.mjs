// The wire of draft-ietf-moq-transport-18, as far as a viewer of one track needs
// it: bytes in, plain objects out, and back. No streams are opened here and
// nothing is decided; scripts/browser/wire.test.mjs checks every function against
// the golden vectors of pkg/wire.
//
// Integers of the wire have up to 64 bits and are BigInts throughout; lengths that
// were checked are Numbers. Bytes are Uint8Arrays. Numbers in comments are
// sections of the draft.

/** Types of messages (10) and of unidirectional streams (3.3). */
export const SETUP = 0x2f00n, SUBSCRIBE = 0x3n, SUBSCRIBE_OK = 0x4n, REQUEST_ERROR = 0x5n, PUBLISH_DONE = 0xbn,
  GOAWAY = 0x10n, FETCH = 0x16n, FETCH_OK = 0x18n;
export const FETCH_HEADER = 0x5n, PADDING_STREAM = 0x132b3e28n, PADDING_DATAGRAM = 0x132b3e29n;

/** Codes with which a viewer ends something (15.10). */
export const PROTOCOL_VIOLATION = 0x3, VERSION_NEGOTIATION_FAILED = 0x15, NOT_SUPPORTED = 0x3n, CANCELLED = 0x1;

/** Object Status (11.2.1.1). */
export const NORMAL = 0n, END_OF_GROUP = 3n, END_OF_TRACK = 4n;

/** Subscription Filter (5.1.2): everything after the newest object. */
export const LARGEST_OBJECT_FILTER = 2n;

/** KEEP is how many bytes of a payload are kept unless the caller says otherwise; the rest is read and let go. */
export const KEEP = 64 << 10;

const MAX_U64 = 0xffffffffffffffffn;
const MAX_REASON = 1024n, MAX_URI = 8192n, MAX_FIELDS = 32n, MAX_PROPERTIES = 0xffffn;

const closeCodes = {
  0x0: 'NO_ERROR', 0x1: 'INTERNAL_ERROR', 0x2: 'UNAUTHORIZED', 0x3: 'PROTOCOL_VIOLATION', 0x4: 'INVALID_REQUEST_ID',
  0x5: 'DUPLICATE_TRACK_ALIAS', 0x6: 'KEY_VALUE_FORMATTING_ERROR', 0x8: 'INVALID_PATH', 0x9: 'MALFORMED_PATH',
  0x10: 'GOAWAY_TIMEOUT', 0x11: 'CONTROL_MESSAGE_TIMEOUT', 0x12: 'DATA_STREAM_TIMEOUT',
  0x13: 'AUTH_TOKEN_CACHE_OVERFLOW', 0x14: 'DUPLICATE_AUTH_TOKEN_ALIAS', 0x15: 'VERSION_NEGOTIATION_FAILED',
  0x16: 'MALFORMED_AUTH_TOKEN', 0x17: 'UNKNOWN_AUTH_TOKEN_ALIAS', 0x18: 'EXPIRED_AUTH_TOKEN',
  0x19: 'INVALID_AUTHORITY', 0x1a: 'MALFORMED_AUTHORITY',
};
const requestCodes = {
  0x0: 'INTERNAL_ERROR', 0x1: 'UNAUTHORIZED', 0x2: 'TIMEOUT', 0x3: 'NOT_SUPPORTED', 0x4: 'MALFORMED_AUTH_TOKEN',
  0x5: 'EXPIRED_AUTH_TOKEN', 0x6: 'GOING_AWAY', 0x9: 'EXCESSIVE_LOAD', 0x10: 'DOES_NOT_EXIST', 0x11: 'INVALID_RANGE',
  0x12: 'MALFORMED_TRACK', 0x19: 'DUPLICATE_SUBSCRIPTION', 0x20: 'UNINTERESTED', 0x30: 'PREFIX_OVERLAP',
  0x31: 'NAMESPACE_TOO_LARGE', 0x32: 'INVALID_JOINING_REQUEST_ID', 0x33: 'UNSUPPORTED_EXTENSION', 0x34: 'REDIRECT',
};
const doneCodes = {
  0x0: 'INTERNAL_ERROR', 0x1: 'UNAUTHORIZED', 0x2: 'TRACK_ENDED', 0x3: 'SUBSCRIPTION_ENDED', 0x4: 'GOING_AWAY',
  0x5: 'TOO_FAR_BEHIND', 0x6: 'EXPIRED', 0x8: 'UPDATE_FAILED', 0x9: 'EXCESSIVE_LOAD', 0x12: 'MALFORMED_TRACK',
};
const named = (table) => (code) => `0x${code.toString(16)}${table[Number(code)] ? ` ${table[Number(code)]}` : ''}`;

/** The names of codes as the draft has them: '0x10 GOAWAY_TIMEOUT'. */
export const closeCode = named(closeCodes), requestCode = named(requestCodes), doneCode = named(doneCodes);

/** WireError is input that breaks a rule; it becomes PROTOCOL_VIOLATION. */
export class WireError extends Error {
  name = 'WireError';
}

const utf8 = new TextEncoder(), text = new TextDecoder();
export const toBytes = (s) => (typeof s === 'string' ? utf8.encode(s) : s);
export const toText = (b) => text.decode(b);

/** viLength is the length in bytes of an integer that begins with this byte (1.4.1). */
const viLength = (first) => Math.clz32(~(first << 24)) + 1;

/** viValue puts an integer together: the leading ones of the first byte are its length. */
function viValue(bytes) {
  let v = BigInt(bytes[0] & (0xff >> bytes.length));
  for (let i = 1; i < bytes.length; i++) v = (v << 8n) | BigInt(bytes[i]);
  return v;
}

/** Writer builds messages. */
export class Writer {
  #bytes = [];

  u8(v) {
    this.#bytes.push(Number(v));
    return this;
  }

  /** vi appends an integer in its shortest form. */
  vi(v) {
    v = BigInt(v);
    if (v < 0n || v > MAX_U64) throw new RangeError(`${v} does not fit into 64 bits`);
    let extra = 0;
    while (extra < 8 && v >> BigInt(7 * (extra + 1))) extra++;
    const marked = (BigInt((0xff00 >> extra) & 0xff) << BigInt(8 * extra)) | v;
    for (let i = extra; i >= 0; i--) this.#bytes.push(Number((marked >> BigInt(8 * i)) & 0xffn));
    return this;
  }

  raw(bytes) {
    for (const b of bytes) this.#bytes.push(b);
    return this;
  }

  /** name appends a length and that many bytes; a string is UTF-8. */
  name(v) {
    const b = toBytes(v);
    return this.vi(b.length).raw(b);
  }

  /** namespace appends a Track Namespace (2.4.1). */
  namespace(fields) {
    this.vi(fields.length);
    for (const f of fields) this.name(f);
    return this;
  }

  /** parameters appends Message Parameters (10.2); those that are undefined are left out. */
  parameters(values) {
    const rows = parameterTypes.filter(({ key }) => values[key] !== undefined);
    this.vi(rows.length);
    let before = 0n;
    for (const { type, key, kind } of rows) {
      this.vi(type - before);
      before = type;
      const v = values[key];
      if (kind === 'u8') this.u8(v);
      else if (kind === 'filter') this.name(filterBytes(v));
      else this.vi(v);
    }
    return this;
  }

  bytes() {
    return Uint8Array.from(this.#bytes);
  }

  /** message is what was written as the payload of a message of that type (10). */
  message(type) {
    if (this.#bytes.length > 0xffff) throw new RangeError('a message has more than 65535 bytes');
    return new Writer().vi(type).u8(this.#bytes.length >> 8).u8(this.#bytes.length & 0xff).raw(this.#bytes).bytes();
  }
}

// Those that a viewer sends (15.7), ascending.
const parameterTypes = [
  { type: 0x02n, key: 'objectDeliveryTimeout', kind: 'vi' },
  { type: 0x04n, key: 'rendezvousTimeout', kind: 'vi' },
  { type: 0x06n, key: 'subgroupDeliveryTimeout', kind: 'vi' },
  { type: 0x10n, key: 'forward', kind: 'u8' },
  { type: 0x20n, key: 'subscriberPriority', kind: 'u8' },
  { type: 0x21n, key: 'filter', kind: 'filter' },
  { type: 0x22n, key: 'groupOrder', kind: 'u8' },
];

/** filterBytes is a Subscription Filter (5.1.2). */
function filterBytes({ type, start, endGroupDelta }) {
  const w = new Writer().vi(type);
  if (start) w.vi(start.group).vi(start.object);
  if (endGroupDelta !== undefined) w.vi(endGroupDelta);
  return w.bytes();
}

/** setup is the first message on the control stream; options are [type, value] in ascending order (10.3). */
export function setup(options) {
  const w = new Writer();
  let before = 0n;
  for (const [type, value] of options) {
    w.vi(type - before);
    before = type;
    if (type & 1n) w.name(value);
    else w.vi(value);
  }
  return w.message(SETUP);
}

/** subscribe asks for what comes of a track (10.7). */
export function subscribe({ requestID, namespace, name, parameters = {} }) {
  return new Writer().vi(requestID).namespace(namespace).name(name).parameters(parameters).message(SUBSCRIBE);
}

/** joiningFetch asks for what came before a subscription, from `start` groups back (10.12.2). */
export function joiningFetch({ requestID, joiningRequestID, start, parameters = {} }) {
  return new Writer().vi(requestID).vi(2).vi(joiningRequestID).vi(start).parameters(parameters).message(FETCH);
}

/** requestError refuses a request for good (10.6). */
export function requestError({ code, reason }) {
  return new Writer().vi(code).vi(0).name(reason).message(REQUEST_ERROR);
}

/** Reader takes messages and datagrams apart. It never reads beyond its bytes. */
export class Reader {
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }
  #bytes;

  get left() {
    return this.#bytes.length - this.#at;
  }

  take(length) {
    if (BigInt(length) > BigInt(this.left)) throw new WireError(`${length} bytes are announced, ${this.left} are there`);
    const from = this.#at;
    this.#at += Number(length);
    return this.#bytes.subarray(from, this.#at);
  }

  u8() {
    return this.take(1)[0];
  }

  vi() {
    if (this.left < 1) throw new WireError('an integer is missing');
    return viValue(this.take(viLength(this.#bytes[this.#at])));
  }

  name(limit = MAX_U64) {
    const length = this.vi();
    if (length > limit) throw new WireError(`${length} bytes where ${limit} are allowed`);
    return this.take(length);
  }

  rest() {
    return this.take(this.left);
  }

  location() {
    return { group: this.vi(), object: this.vi() };
  }

  namespace() {
    const n = this.vi();
    if (n > MAX_FIELDS) throw new WireError(`a namespace of ${n} fields`);
    return Array.from({ length: Number(n) }, () => this.name());
  }

  /** pairs reads Key-Value-Pairs to the end (1.4.3): [{type, value}]. */
  pairs() {
    const all = [];
    for (let type = 0n; this.left > 0;) {
      type += this.vi();
      if (type > MAX_U64) throw new WireError('the type of a Key-Value-Pair overflows');
      all.push({ type, value: type & 1n ? this.name(MAX_PROPERTIES) : this.vi() });
    }
    return all;
  }

  /** parameters reads those of SUBSCRIBE_OK and FETCH_OK (10.2). */
  parameters() {
    const values = {};
    let type = 0n;
    for (let n = this.vi(), i = 0n; i < n; i++) {
      const delta = this.vi();
      if (i > 0n && delta === 0n) throw new WireError(`parameter 0x${type.toString(16)} comes twice`);
      type += delta;
      if (type === 0x08n) values.expires = this.vi();
      else if (type === 0x09n) values.largest = this.location();
      else throw new WireError(`parameter 0x${type.toString(16)} is not expected here`);
    }
    return values;
  }

  end() {
    if (this.left > 0) throw new WireError(`${this.left} bytes too many`);
  }
}

// The messages that a viewer gets.
const decoders = new Map([
  [SETUP, (r) => ({ options: r.pairs() })],
  [GOAWAY, (r, { control }) => ({ uri: r.name(MAX_URI), timeout: r.vi(), requestID: control ? r.vi() : undefined })],
  [SUBSCRIBE_OK, (r) => ({ alias: r.vi(), parameters: r.parameters(), properties: r.pairs() })],
  [FETCH_OK, (r) => ({ endOfTrack: r.u8(), end: r.location(), parameters: r.parameters(), properties: r.pairs() })],
  [PUBLISH_DONE, (r) => ({ code: r.vi(), streams: r.vi(), reason: r.name(MAX_REASON) })],
  [REQUEST_ERROR, (r) => {
    const m = { code: r.vi(), retry: r.vi(), reason: r.name(MAX_REASON) };
    if (m.code === 0x34n) m.redirect = { uri: r.name(MAX_URI), namespace: r.namespace(), name: r.name() };
    return m;
  }],
]);

/** decode reads the payload of a message; control says that it came on the control stream. */
export function decode(type, payload, { control = false } = {}) {
  const decoder = decoders.get(type);
  if (!decoder) throw new WireError(`message 0x${type.toString(16)} is not expected here`);
  const r = new Reader(payload);
  const message = { type, ...decoder(r, { control }) };
  r.end();
  return message;
}

/** decodeDatagram reads an object that travelled alone (11.3.1); padding gives undefined. */
export function decodeDatagram(bytes) {
  const r = new Reader(bytes);
  const type = r.vi();
  if (type === PADDING_DATAGRAM) return undefined;
  if (type > 0x2fn || type & 0x10n || (type & 0x22n) === 0x22n) throw new WireError(`datagram of type 0x${type.toString(16)}`);
  const o = { alias: r.vi(), group: r.vi(), object: type & 0x04n ? 0n : r.vi() };
  if (!(type & 0x08n)) o.priority = r.u8();
  if (type & 0x01n) o.properties = new Reader(r.name(MAX_PROPERTIES)).pairs();
  o.status = type & 0x20n ? status(r.vi()) : NORMAL;
  o.payload = r.rest();
  o.length = o.payload.length;
  if (type & 0x20n && o.length > 0) throw new WireError('a status has a payload');
  return o;
}

function status(v) {
  if (v !== NORMAL && v !== END_OF_GROUP && v !== END_OF_TRACK) throw new WireError(`object status ${v}`);
  return v;
}

/** ByteStream reads a stream piece by piece as it comes. */
export class ByteStream {
  #reader;
  #chunk = new Uint8Array(0);

  constructor(readable) {
    this.#reader = readable.getReader();
  }

  /** ended waits for the next byte; true means that the sender has finished (FIN). */
  async ended() {
    while (this.#chunk.length === 0) {
      const { value, done } = await this.#reader.read();
      if (done) return true;
      this.#chunk = value;
    }
    return false;
  }

  /** take reads that many bytes and keeps the first ones; the end of the stream inside them is an error. */
  async take(length, keep = length) {
    const kept = new Uint8Array(Math.min(Number(length), Number(keep)));
    for (let at = 0n; at < BigInt(length);) {
      if (await this.ended()) throw new WireError('the stream ends inside a field');
      const left = BigInt(length) - at;
      const n = left < this.#chunk.length ? Number(left) : this.#chunk.length;
      if (at < kept.length) kept.set(this.#chunk.subarray(0, Math.min(n, kept.length - Number(at))), Number(at));
      this.#chunk = this.#chunk.subarray(n);
      at += BigInt(n);
    }
    return kept;
  }

  async u8() {
    return (await this.take(1))[0];
  }

  async vi() {
    if (await this.ended()) throw new WireError('the stream ends inside a field');
    return viValue(await this.take(viLength(this.#chunk[0])));
  }

  /** message reads one message (10): its type and its payload. */
  async message() {
    const type = await this.vi();
    const [high, low] = await this.take(2);
    return { type, payload: await this.take((high << 8) | low) };
  }

  /** properties reads a length and Key-Value-Pairs. */
  async properties() {
    const length = await this.vi();
    if (length > MAX_PROPERTIES) throw new WireError(`${length} bytes of properties`);
    return new Reader(await this.take(length)).pairs();
  }

  /** cancel asks the sender to stop (STOP_SENDING). */
  cancel(reason) {
    return this.#reader.cancel(reason).catch(() => {});
  }
}

/** isSubgroup says whether a stream of this type carries a subgroup: 0b0XX1XXXX, but not mode 3 (11.4.2). */
export const isSubgroup = (type) => type <= 0x7fn && (type & 0x10n) !== 0n && (type & 0x06n) !== 0x06n;

/** subgroupHeader reads the rest of a SUBGROUP_HEADER, after its type (11.4.2). */
export async function subgroupHeader(type, s) {
  const h = { type, alias: await s.vi(), group: await s.vi() };
  const mode = (type & 0x06n) >> 1n;
  if (mode === 0n) h.subgroup = 0n;
  if (mode === 2n) h.subgroup = await s.vi();
  if (!(type & 0x20n)) h.priority = await s.u8();
  return h; // in mode 1 the subgroup is the ID of the first object
}

/** subgroupObjects reads the objects after the header; of each payload only the first `keep` bytes stay. */
export async function* subgroupObjects(header, s, keep = KEEP) {
  let before = -1n;
  while (!(await s.ended())) {
    const object = before + (await s.vi()) + 1n;
    if (object > MAX_U64) throw new WireError('an Object ID overflows');
    before = object;
    const o = { group: header.group, object, status: NORMAL };
    if (header.type & 0x01n) o.properties = await s.properties();
    const length = await s.vi();
    if (length === 0n) o.status = status(await s.vi());
    o.payload = await s.take(length, keep);
    o.length = Number(length);
    yield o;
  }
}

/**
 * fetchObjects reads the objects after a FETCH_HEADER (11.4.4); the group order is the one that was asked for. Ends
 * of ranges (11.4.4.2) are items with a `range`.
 */
export async function* fetchObjects(s, { descending = false, keep = KEEP } = {}) {
  let place, priority, subgroup; // of the object before, as far as there was one
  const prior = (v) => {
    if (v === undefined) throw new WireError('an object refers to one before, which there is not');
    return v;
  };
  while (!(await s.ended())) {
    const flags = await s.vi();
    if (flags === 0x8cn || flags === 0x10cn) {
      place = { group: await s.vi(), object: await s.vi() };
      yield { ...place, range: flags === 0x8cn ? 'non_existent' : 'unknown' };
      continue;
    }
    if (flags >= 0x80n) throw new WireError(`flags 0x${flags.toString(16)} of an object`);
    const o = { status: NORMAL, datagram: (flags & 0x40n) !== 0n };
    if (flags & 0x08n) {
      const delta = await s.vi();
      o.group = !place ? delta : descending ? place.group - delta - 1n : place.group + delta + 1n;
    } else {
      o.group = prior(place).group;
    }
    if (!o.datagram) {
      const mode = flags & 3n;
      subgroup = mode === 0n ? 0n : mode === 3n ? await s.vi() : prior(subgroup) + mode - 1n;
      o.subgroup = subgroup;
    }
    if (flags & 0x04n) {
      o.object = (await s.vi()) + (flags & 0x08n ? 0n : place.object);
    } else {
      o.object = prior(place).object + 1n;
    }
    if (o.group < 0n || o.group > MAX_U64 || o.object > MAX_U64) throw new WireError('a Location overflows');
    o.priority = priority = flags & 0x10n ? await s.u8() : prior(priority);
    if (flags & 0x20n) o.properties = await s.properties();
    const length = await s.vi();
    o.payload = await s.take(length, keep);
    o.length = Number(length);
    place = { group: o.group, object: o.object };
    yield o;
  }
}
