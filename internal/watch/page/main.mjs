// The page: keeps one track flowing from the relay that served the page and shows
// its objects, ordered by Location, the newest first. The address says what is
// watched: ?relay=/moq-relay&namespace=moq-date&track=date. The relay is a path of
// where the page came from, or a URL; fields of a namespace are separated by '/'.

import { RequestRefused, Session } from './session.mjs';
import * as wire from './wire.mjs';

/** ROWS is how many objects are shown; older ones make room. */
const ROWS = 300;
/** RENDEZVOUS is how long (ms) the relay may wait for a publisher before it says that there is none (10.2.4). */
const RENDEZVOUS = 5000;
/** The pause before the next attempt doubles from the first to the last of these (ms). */
const FIRST_PAUSE = 500, LAST_PAUSE = 8000;
/** SHOWN is how many bytes of a payload are shown. */
const SHOWN = 2000;

const $ = (id) => document.getElementById(id);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const query = new URLSearchParams(location.search);
const form = $('choice').elements;
for (const field of ['relay', 'namespace', 'track']) if (query.has(field)) form[field].value = query.get(field);

/** show says what the page is doing: 'waiting', 'live' or 'down'. */
function show(state, sentence) {
  document.body.dataset.state = state;
  $('status').textContent = sentence;
}

/** note tells of something that ended, with its code if it has one. */
function note(kind, { code, reason }, name) {
  const line = document.createElement('li');
  line.dataset.kind = kind;
  if (code !== undefined) line.dataset.code = code;
  line.dataset.reason = reason;
  const when = document.createElement('time');
  when.textContent = clock(new Date());
  line.append(when, code === undefined ? ` ${kind}: ${reason}` : ` ${kind}: ${name(code)}${reason && `, “${reason}”`}`);
  $('notes').prepend(line);
  while ($('notes').children.length > 20) $('notes').lastChild.remove();
}

const clock = (t) => `${t.toLocaleTimeString('en-GB')}.${String(t.getMilliseconds()).padStart(3, '0')}`;

// ---- Objects ----

const rows = []; // in the order of the table, so descending
const totals = { objects: 0, bytes: 0 };

const later = (a, b) => a.group > b.group || (a.group === b.group && a.object > b.object);

/** add shows an object, unless it is there already. */
function add(o, joined) {
  let i = 0;
  while (i < rows.length && later(rows[i], o)) i++;
  if (rows[i]?.group === o.group && rows[i].object === o.object) return;
  if (o.status === wire.NORMAL) {
    totals.objects++;
    totals.bytes += o.length;
    $('total').textContent = totals.objects.toLocaleString('en');
    $('bytes').textContent = totals.bytes.toLocaleString('en');
    if (i === 0 || rows.slice(0, i).every((r) => r.status !== wire.NORMAL)) {
      $('newest').textContent = describe(o);
      $('place').textContent = `group ${o.group}, object ${o.object}`;
    }
  }
  if (i >= ROWS) return;
  const tr = row(o, joined);
  $('objects').insertBefore(tr, rows[i]?.tr ?? null);
  rows.splice(i, 0, { group: o.group, object: o.object, status: o.status, tr });
  while (rows.length > ROWS) rows.pop().tr.remove();
}

function row(o, joined) {
  const tr = document.createElement('tr');
  Object.assign(tr.dataset, { group: o.group, object: o.object, status: o.status, how: joined ? 'joined' : 'live' });
  for (const text of [o.group, o.object, clock(new Date()), joined ? 'joined' : 'live', describe(o)]) {
    tr.insertCell().textContent = text;
  }
  return tr;
}

/** describe shows a payload as text if it is text, and as hex if not. */
function describe(o) {
  if (o.status === wire.END_OF_GROUP) return 'end of group';
  if (o.status === wire.END_OF_TRACK) return 'end of track';
  const head = o.payload.subarray(0, SHOWN), more = o.length > head.length ? ` … (${o.length} bytes)` : '';
  try {
    // A character that is cut in two at the end is no fault.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: more !== '' });
    if (!/[\0-\x08\x0e-\x1f\x7f]/.test(text)) return text + more;
  } catch {
    // It is not UTF-8.
  }
  const bytes = Array.from(head.subarray(0, 64), (b) => b.toString(16).padStart(2, '0')).join(' ');
  return `${bytes}${o.length > 64 ? ' …' : ''} (${o.length} bytes)`;
}

// ---- Connection ----

/** certificateHash asks for the hash of the relay's certificate; undefined if it does not tell. */
async function certificateHash() {
  const answer = await fetch('/certificate.sha256', { cache: 'no-store' }).catch(() => undefined);
  const hex = answer?.ok ? (await answer.text()).trim() : '';
  if (!/^[0-9a-f]{64}$/i.test(hex)) return undefined;
  return Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16));
}

/** watch keeps one subscription on one session, as long as it lasts. */
async function watch(session, track) {
  session.onGoaway = (timeout) => {
    // There is nowhere else to go: what still comes is shown until the relay closes the session.
    note('GOAWAY', { reason: timeout ? `the relay goes away in ${timeout / 1000} s` : 'the relay goes away' });
  };
  let over = false;
  session.closed.then(() => {
    over = true;
  });
  for (let pause = FIRST_PAUSE; !over; pause = Math.min(2 * pause, LAST_PAUSE)) {
    show('waiting', `Connected. Waiting for ${track.title}…`);
    try {
      const { joined, ended } = await session.subscribe({ ...track, rendezvous: RENDEZVOUS, onObject: add });
      pause = FIRST_PAUSE;
      show('live', `Live: ${track.title}`);
      joined.catch((err) => err instanceof RequestRefused && note('FETCH refused', { reason: err.message }));
      note('Subscription ended', await ended, wire.doneCode);
    } catch (err) {
      if (!(err instanceof RequestRefused)) break; // the session has ended
      note('SUBSCRIBE refused', { reason: err.message });
    }
    if (!over) show('waiting', `Connected. Asking for ${track.title} again…`);
    await Promise.race([sleep(pause), session.closed]);
  }
  note('Session ended', await session.closed, wire.closeCode);
}

/** main keeps a session for as long as the page is open. */
async function main() {
  const namespace = form.namespace.value.split('/'), name = form.track.value;
  const track = { namespace, name, title: `${form.namespace.value} ${name}` };
  const url = new URL(form.relay.value, `https://${location.host}`).href; // HTTP and QUIC have one number
  document.title = `${track.title} · oxymoq`;
  if (!globalThis.WebTransport) {
    show('down', isSecureContext
      ? 'This browser has no WebTransport.'
      : 'Browsers allow WebTransport on secure pages only: open this page as localhost or 127.0.0.1.');
    return;
  }
  for (let pause = FIRST_PAUSE, verified = false; ; pause = Math.min(2 * pause, LAST_PAUSE)) {
    show('waiting', `Connecting to ${url}…`);
    // A certificate that lasts longer than two weeks cannot be pinned, but then it may be one that verifies.
    const hash = verified ? undefined : await certificateHash();
    try {
      const session = await Session.connect(url, hash);
      pause = FIRST_PAUSE;
      await watch(session, track);
    } catch (err) {
      show('down', `No session with ${url}: ${err.message} Is the relay running, and does it serve this path?`);
      verified = !verified && hash !== undefined;
    }
    if (document.body.dataset.state !== 'down') show('down', 'The session has ended. Connecting again…');
    await sleep(pause);
  }
}

main();
