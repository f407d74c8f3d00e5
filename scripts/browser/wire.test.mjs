// Checks the codec of the page of internal/watch against the golden vectors of
// pkg/wire: every vector of a kind that the codec knows, and every truncation.
//
//   node --test scripts/browser/wire.test.mjs

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as wire from '../../internal/watch/page/wire.mjs';

const golden = (name) =>
  JSON.parse(readFileSync(new URL(`../../pkg/wire/testdata/golden/${name}.json`, import.meta.url))).vectors;
const fromHex = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const toHex = (bytes) => Buffer.from(bytes).toString('hex');

/** stream is a ReadableStream that delivers the bytes in pieces of that size. */
const stream = (bytes, size) =>
  new wire.ByteStream(new ReadableStream({
    start(controller) {
      for (let i = 0; i < bytes.length; i += size) controller.enqueue(bytes.subarray(i, i + size));
      controller.close();
    },
  }));

/** cuts are all beginnings of the bytes that are not the whole. */
const cuts = (bytes) => Array.from({ length: bytes.length }, (_, n) => bytes.subarray(0, n));

// The vectors write integers as decimal text and bytes as hex.
const pairs = (list) =>
  list?.map(({ type, value }) => ({ type: String(type), value: typeof value === 'bigint' ? String(value) : toHex(value) })) ?? null;
const location = ({ group, object }) => ({ group: String(group), object: String(object) });
const parameters = (p) => [
  ...(p.expires === undefined ? [] : [{ type: '8', value: String(p.expires) }]),
  ...(p.largest === undefined ? [] : [{ type: '9', value: location(p.largest) }]),
];
/** Of a property that holds others the vectors also show those, and of some their meaning: the bytes are enough here. */
const plain = (list) => list && list.map(({ type, value }) => ({ type, value }));

test('integers', async () => {
  const vectors = golden('vi64');
  assert.ok(vectors.length >= 20);
  for (const { id, hex, decoded } of vectors) {
    const bytes = fromHex(hex);
    assert.equal(toHex(new wire.Writer().vi(BigInt(decoded.value)).bytes()), hex, id);
    const r = new wire.Reader(bytes);
    assert.equal(String(r.vi()), decoded.value, id);
    r.end();
    assert.equal(String(await stream(bytes, 1).vi()), decoded.value, id);
    for (const cut of cuts(bytes)) {
      assert.throws(() => new wire.Reader(cut).vi(), wire.WireError, id);
      await assert.rejects(stream(cut, 1).vi(), wire.WireError, id);
    }
  }
  // Any encoding length may come (1.4.1), and nothing beyond 64 bits goes out.
  assert.equal(new wire.Reader(fromHex('8025')).vi(), 37n);
  assert.equal(new wire.Reader(fromHex('ff0000000000000025')).vi(), 37n);
  assert.throws(() => new wire.Writer().vi(1n << 64n), RangeError);
  assert.throws(() => new wire.Writer().vi(-1n), RangeError);
});

const messages = {
  setup: {
    // Tokens are shown taken apart in the vectors; a viewer gets none.
    only: ({ decoded }) => decoded.options.every(({ value }) => typeof value === 'string'),
    show: (m) => ({ options: pairs(m.options) }),
    expect: (d) => ({ options: plain(d.options) }),
    encode: (d) => wire.setup(d.options.map(({ type, value }) => [BigInt(type), BigInt(type) & 1n ? fromHex(value) : BigInt(value)])),
  },
  goaway: {
    show: (m) => ({ new_session_uri: toHex(m.uri), timeout: String(m.timeout), request_id: m.requestID === undefined ? null : String(m.requestID) }),
  },
  'subscribe-ok': {
    show: (m) => ({ track_alias: String(m.alias), parameters: parameters(m.parameters), track_properties: pairs(m.properties) }),
    expect: (d) => ({ ...d, track_properties: plain(d.track_properties) }),
  },
  'fetch-ok': {
    show: (m) => ({ end: location(m.end), end_of_track: String(m.endOfTrack), parameters: parameters(m.parameters), track_properties: pairs(m.properties) }),
  },
  'publish-done': {
    show: (m) => ({ status_code: String(m.code), stream_count: String(m.streams), reason: toHex(m.reason) }),
  },
  'request-error': {
    show: (m) => ({
      error_code: String(m.code), retry_interval: String(m.retry), reason: toHex(m.reason),
      redirect: m.redirect
        ? { connect_uri: toHex(m.redirect.uri), track_namespace: m.redirect.namespace.map(toHex), track_name: toHex(m.redirect.name) }
        : null,
    }),
    encode: (d) => (d.redirect || d.retry_interval !== '0' ? undefined : wire.requestError({ code: BigInt(d.error_code), reason: fromHex(d.reason) })),
  },
};

for (const [name, { only = () => true, show, expect = (d) => d, encode = () => undefined }] of Object.entries(messages)) {
  test(`${name}: messages that come`, async () => {
    const vectors = golden(name).filter(only);
    assert.ok(vectors.length >= 2);
    for (const { id, hex, context, decoded } of vectors) {
      const bytes = fromHex(hex), options = { control: context?.stream !== 'request' };
      const s = stream(bytes, 3);
      const { type, payload } = await s.message();
      assert.ok(await s.ended(), id);
      assert.deepEqual(show(wire.decode(type, payload, options)), expect(decoded), id);
      for (const cut of cuts(bytes)) await assert.rejects(stream(cut, 3).message(), wire.WireError, id);
      assert.throws(() => wire.decode(type, Uint8Array.from([...payload, 0]), options), wire.WireError, `${id}, a byte too many`);
      const again = encode(decoded);
      if (again) assert.equal(toHex(again), hex, id);
    }
  });
}

test('no truncated payload of a message is read beyond its end', () => {
  for (const name of ['subscribe-ok', 'fetch-ok', 'publish-done', 'request-error', 'goaway']) {
    for (const { id, hex, context } of golden(name)) {
      const whole = new wire.Reader(fromHex(hex));
      const type = whole.vi();
      whole.take(2);
      for (const cut of cuts(whole.rest())) {
        try {
          wire.decode(type, cut, { control: context?.stream !== 'request' }); // a tail of properties may be missing
        } catch (err) {
          assert.ok(err instanceof wire.WireError, `${id}: ${err}`);
        }
      }
    }
  }
  assert.throws(() => wire.decode(0x7777n, new Uint8Array()), wire.WireError);
});

const keys = new Map([['2', 'objectDeliveryTimeout'], ['4', 'rendezvousTimeout'], ['6', 'subgroupDeliveryTimeout'],
  ['16', 'forward'], ['32', 'subscriberPriority'], ['33', 'filter'], ['34', 'groupOrder']]);

/** sendable gives the parameters of a vector as the page writes them, or undefined if it knows one of them not. */
function sendable(list) {
  const values = {};
  for (const { type, value } of list) {
    const key = keys.get(type);
    if (!key) return undefined;
    values[key] = key !== 'filter' ? BigInt(value) : {
      type: BigInt(value.filter_type),
      start: value.start && { group: BigInt(value.start.group), object: BigInt(value.start.object) },
      endGroupDelta: value.end_group_delta === undefined ? undefined : BigInt(value.end_group_delta),
    };
  }
  return values;
}

test('subscribe: messages that go', () => {
  let n = 0;
  for (const { id, hex, decoded } of golden('subscribe')) {
    const values = sendable(decoded.parameters);
    if (!values) continue;
    n++;
    const requestID = BigInt(decoded.request_id), namespace = decoded.track_namespace.map(fromHex);
    assert.equal(toHex(wire.subscribe({ requestID, namespace, name: fromHex(decoded.track_name), parameters: values })), hex, id);
  }
  assert.ok(n >= 40, `only ${n} vectors fit`);
});

test('fetch: messages that go', () => {
  let n = 0;
  for (const { id, hex, decoded } of golden('fetch')) {
    const values = sendable(decoded.parameters);
    if (!values || decoded.fetch_type !== '2') continue;
    n++;
    const requestID = BigInt(decoded.request_id), joiningRequestID = BigInt(decoded.joining_request_id);
    assert.equal(toHex(wire.joiningFetch({ requestID, joiningRequestID, start: BigInt(decoded.joining_start), parameters: values })), hex, id);
  }
  assert.ok(n >= 15, `only ${n} vectors fit`);
});

test('types of streams', () => {
  const vectors = golden('uni-stream-type');
  for (const { id, decoded } of vectors) assert.equal(wire.isSubgroup(BigInt(decoded.type)), decoded.kind === 'SUBGROUP_STREAM', id);
  const known = new Set(vectors.filter(({ decoded }) => decoded.kind === 'SUBGROUP_STREAM').map(({ decoded }) => Number(decoded.type)));
  assert.equal(known.size, 48); // 11.4.2
  for (let type = 0; type < 0x200; type++) assert.equal(wire.isSubgroup(BigInt(type)), known.has(type), `type ${type}`);
});

const object = (o) => ({ object_id: String(o.object), payload: toHex(o.payload), properties: pairs(o.properties), status: String(o.status) });

test('subgroups', async () => {
  const vectors = golden('subgroup-stream');
  assert.ok(vectors.length >= 70);
  const read = async (s) => {
    const type = await s.vi(), header = await wire.subgroupHeader(type, s), objects = [];
    for await (const o of wire.subgroupObjects(header, s)) objects.push(o);
    return { header, objects };
  };
  for (const { id, hex, decoded } of vectors) {
    const bytes = fromHex(hex);
    const { header, objects } = await read(stream(bytes, 2));
    assert.equal(String(header.alias), decoded.track_alias, id);
    assert.equal(String(header.group), decoded.group_id, id);
    assert.equal(header.priority === undefined ? null : String(header.priority), decoded.publisher_priority, id);
    if (decoded.subgroup_id_mode !== '1') assert.equal(String(header.subgroup), decoded.subgroup_id, id);
    assert.deepEqual(objects.map(object), decoded.objects.map((o) => ({ ...o, properties: plain(o.properties) })), id);
    // A stream may end after its header and after an object, but nowhere else.
    let clean = 0;
    for (const cut of cuts(bytes)) {
      const got = await read(stream(cut, 5)).catch((err) => assert.ok(err instanceof wire.WireError, `${id}: ${err}`));
      if (got) clean++;
    }
    assert.equal(clean, objects.length, `${id}: ends between objects`);
  }
});

test('fetched objects', async () => {
  const vectors = golden('fetch-stream');
  assert.ok(vectors.length >= 25);
  const read = async (s, descending) => {
    const type = await s.vi(), requestID = await s.vi(), items = [];
    for await (const o of wire.fetchObjects(s, { descending })) items.push(o);
    return { type, requestID, items };
  };
  for (const { id, hex, context, decoded } of vectors) {
    const bytes = fromHex(hex), descending = context.group_order === 'descending';
    const { type, requestID, items } = await read(stream(bytes, 2), descending);
    assert.equal(type, wire.FETCH_HEADER, id);
    assert.equal(String(requestID), decoded.request_id, id);
    const expected = decoded.items.map(({ flags, properties, ...rest }) =>
      (rest.kind === 'object' ? { ...rest, properties: plain(properties) } : rest));
    assert.deepEqual(items.map((o) => (o.range
      ? { kind: 'end_of_range', group_id: String(o.group), object_id: String(o.object), range: o.range }
      : {
        kind: 'object', datagram: o.datagram, group_id: String(o.group), object_id: String(o.object), payload: toHex(o.payload),
        properties: pairs(o.properties), publisher_priority: String(o.priority), subgroup_id: o.datagram ? null : String(o.subgroup),
      })), expected, id);
    for (const cut of cuts(bytes)) {
      await read(stream(cut, 5), descending).catch((err) => assert.ok(err instanceof wire.WireError, `${id}: ${err}`));
    }
  }
  for (const hex of ['05000000', '050014000100', '05001d000001' + '00', '05000c000000', '05008100', '05001cffffffffffffffffff000100' + '0c00000000']) {
    await assert.rejects(read(stream(fromHex(hex), 4), false), wire.WireError, hex);
  }
});

test('datagrams', () => {
  const vectors = golden('object-datagram');
  assert.ok(vectors.length >= 50);
  for (const { id, hex, decoded } of vectors) {
    const bytes = fromHex(hex), o = wire.decodeDatagram(bytes);
    assert.deepEqual(
      { track_alias: String(o.alias), group_id: String(o.group), publisher_priority: o.priority === undefined ? null : String(o.priority), ...object(o) },
      {
        track_alias: decoded.track_alias, group_id: decoded.group_id, publisher_priority: decoded.publisher_priority,
        object_id: decoded.object_id, payload: decoded.payload, properties: plain(decoded.properties), status: decoded.status,
      }, id);
    for (const cut of cuts(bytes)) {
      try {
        wire.decodeDatagram(cut); // a payload may be shorter
      } catch (err) {
        assert.ok(err instanceof wire.WireError, `${id}: ${err}`);
      }
    }
  }
  for (const { hex } of golden('padding-datagram')) assert.equal(wire.decodeDatagram(fromHex(hex)), undefined);
  for (const hex of ['10000000', '22000000', '30000000', '40000000', '2001000080037f', '20010000' + '8002']) {
    assert.throws(() => wire.decodeDatagram(fromHex(hex)), wire.WireError, hex);
  }
});

test('of a long payload only the beginning is kept', async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
  for (const size of [1, 7, 1000]) {
    const s = stream(bytes, size);
    assert.equal(toHex(await s.take(900n, 10)), toHex(bytes.subarray(0, 10)));
    assert.equal(toHex(await s.take(100)), toHex(bytes.subarray(900)));
    assert.ok(await s.ended());
  }
});

test('names of codes', () => {
  assert.equal(wire.closeCode(0x10), '0x10 GOAWAY_TIMEOUT');
  assert.equal(wire.requestCode(0x10n), '0x10 DOES_NOT_EXIST');
  assert.equal(wire.doneCode(0x5n), '0x5 TOO_FAR_BEHIND');
  assert.equal(wire.closeCode(0x1234), '0x1234');
});
