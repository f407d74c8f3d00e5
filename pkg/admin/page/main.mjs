// The page of a relay: asks /v1/state each second and shows it, one track with all
// that is in it if the address says #track=ID, and what happens as it happens. It
// reads only. Where the relay wants a token, it is kept for as long as the tab is open.

/** PERIOD is how often the state is asked for, PAUSE how long to wait after a failure (ms). */
const PERIOD = 1000, PAUSE = 2000;
/** ROWS is how many rows a table has at most, EVENTS how many events are kept, OBJECTS how many objects are shown. */
const ROWS = 200, EVENTS = 200, OBJECTS = 12;

const $ = (id) => document.getElementById(id);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** show says what the page is doing: 'waiting', 'live' or 'down'. */
function show(state, sentence) {
  document.body.dataset.state = state;
  if ($('status').textContent !== sentence) $('status').textContent = sentence;
}

// ---- Asking ----

/** Refused is an answer that is no success. */
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** ask makes a request, with the token if there is one. */
async function ask(path, headers = {}) {
  const token = sessionStorage.getItem('token');
  if (token) headers = { ...headers, Authorization: `Bearer ${token}` };
  const answer = await fetch(path, { headers, cache: 'no-store' });
  if (answer.ok || answer.status === 304) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, problem.message ?? answer.statusText);
}

let loggedIn; // called when a token was entered
$('login').addEventListener('submit', (e) => {
  e.preventDefault();
  sessionStorage.setItem('token', $('login').elements.token.value);
  $('login').hidden = true;
  loggedIn?.();
});

/** explain shows why asking failed, and waits before the next try. */
async function explain(err) {
  if (err instanceof Refused && err.status === 401) {
    $('login').hidden = false;
    show('waiting', err.message);
    await new Promise((resolve) => {
      loggedIn = resolve;
    });
    return;
  }
  show('down', err instanceof Refused ? err.message : 'The relay does not answer. What is shown is old.');
  await sleep(PAUSE);
}

// ---- Words ----

const number = (n) => n.toLocaleString('en');

/** scaled is a number with a prefix: 1.2 M. */
function scaled(n, unit, base = 1000) {
  const prefixes = base === 1024 ? ['', 'Ki', 'Mi', 'Gi', 'Ti'] : ['', 'k', 'M', 'G', 'T'];
  let i = 0;
  for (; n >= base && i < prefixes.length - 1; i++) n /= base;
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${prefixes[i]}${unit}`;
}

const bytes = (n) => scaled(n, 'B', 1024);
const rate = (n) => (n === undefined ? '–' : scaled(n * 8, 'bit/s'));
/** time is that of the clock, with milliseconds. */
function time(at) {
  if (!at) return '–';
  const t = new Date(at);
  return `${t.toLocaleTimeString('en-GB')}.${String(t.getMilliseconds()).padStart(3, '0')}`;
}
const place = (l) => (l ? `${l.group}/${l.object}` : '–');

/** delay is a duration of nanoseconds. */
function delay(ns) {
  if (ns < 1e6) return `${Math.round(ns / 1e3)} µs`;
  return ns < 1e9 ? `${(ns / 1e6).toFixed(1)} ms` : `${(ns / 1e9).toFixed(1)} s`;
}
const delays = (lag) => (lag.objects ? `${delay(lag.p50_ns)} / ${delay(lag.p99_ns)}` : '–');
const total = (drops) => Object.values(drops).reduce((a, b) => a + b, 0);

/** payload shows bytes in base64 as text if they are text, and as hex if not. */
function payload(base64, size) {
  const data = Uint8Array.from(atob(base64 ?? ''), (c) => c.charCodeAt(0)), more = size > data.length ? ' …' : '';
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(data, { stream: more !== '' });
    if (!/[\0-\x08\x0e-\x1f\x7f]/.test(text)) return text + more;
  } catch {
    // It is not UTF-8.
  }
  return Array.from(data.subarray(0, 32), (b) => b.toString(16).padStart(2, '0')).join(' ') + (size > 32 ? ' …' : '');
}

// ---- Tables ----

/** table shows rows of { id, cells, ... } in place; what did not change is not touched. Cells are texts or elements. */
function table(body, rows) {
  body = $(body);
  const before = new Map(Array.from(body.rows, (tr) => [tr.dataset.id, tr]));
  rows.slice(0, ROWS).forEach((row, i) => {
    let tr = before.get(row.id);
    before.delete(row.id);
    if (!tr) {
      tr = document.createElement('tr');
      tr.dataset.id = row.id;
      for (const _ of row.cells) tr.insertCell();
    }
    row.cells.forEach((cell, c) => {
      const td = tr.cells[c];
      if (cell instanceof Node) td.replaceChildren(cell);
      else if (td.textContent !== cell) td.textContent = cell;
    });
    if (row.link && !tr.cells[0].firstElementChild) {
      const a = document.createElement('a');
      a.href = row.link;
      a.textContent = tr.cells[0].textContent;
      tr.cells[0].replaceChildren(a);
    }
    if (row.level) tr.dataset.level = row.level;
    if (body.rows[i] !== tr) body.insertBefore(tr, body.rows[i] ?? null);
  });
  for (const tr of before.values()) tr.remove();
  const more = $(`m-${body.id}`);
  if (more) more.textContent = rows.length > ROWS ? `${number(rows.length - ROWS)} more are not shown.` : '';
}

// ---- The state ----

let before; // the counters of the state before, by ID, and its time
const since = (state) => {
  const now = { at: Date.parse(state.time), began: state.relay.began, counters: new Map() };
  const note = (id, c) => {
    now.counters.set(id, c);
    const old = before?.began === now.began ? before.counters.get(id) : undefined;
    const seconds = before ? (now.at - before.at) / 1000 : 0;
    if (!old || seconds <= 0) return {};
    return { in: Math.max(0, c.bytes_in - old.bytes_in) / seconds, out: Math.max(0, c.bytes_out - old.bytes_out) / seconds };
  };
  return { now, note };
};

function showState(state) {
  const { now, note } = since(state);
  const { relay, totals, cache, lag } = state, all = note('', totals);
  document.title = `${relay.name || 'oxymoq'} · relay`;
  $('name').textContent = relay.name || 'oxymoq';
  $('identity').textContent = [relay.version, relay.drafts.length ? `draft ${relay.drafts.join(', ')}` : '', relay.addresses.join(' '),
    relay.began ? `since ${new Date(relay.began).toLocaleString('en-GB')}` : ''].filter(Boolean).join(' · ');
  $('f-sessions').textContent = number(state.sessions.length);
  $('f-tracks').textContent = number(state.tracks.length);
  $('f-in').textContent = rate(all.in);
  $('f-out').textContent = rate(all.out);
  $('f-lag').textContent = delays(lag);
  $('f-dropped').textContent = number(total(totals.dropped));
  $('f-cache').textContent = `${bytes(cache.bytes)} of ${bytes(cache.budget)}`;
  const wanted = $('filter').value.toLowerCase();
  table('tracks', state.tracks.map((t) => {
    const r = note(`track ${t.id}`, t.counters), drops = total(t.counters.dropped);
    return { id: t.id, name: t.full_name, link: `#track=${encodeURIComponent(t.id)}`, cells: [
      t.full_name + (t.scope ? ` (${t.scope})` : ''), t.state, place(t.largest), rate(r.in), rate(r.out), number(t.subscribers),
      t.lag.objects ? delay(t.lag.p99_ns) : '–', drops ? number(drops) : '–', bytes(t.counters.log_bytes)] };
  }).filter((row) => row.name.toLowerCase().includes(wanted)));
  table('sessions', state.sessions.map((s) => {
    const r = note(`session ${s.id}`, s.counters), { link } = s;
    return { id: s.id, cells: [s.id, s.remote, s.transport, s.draft, s.role, s.implementation, rate(r.in), rate(r.out),
      link.rtt_ns ? delay(link.rtt_ns) : '–', link.packets_sent ? `${((100 * link.packets_lost) / link.packets_sent).toFixed(1)} %` : '–'] };
  }));
  table('namespaces', state.namespaces.map((n) => ({ id: `${n.scope} ${n.name}`, cells: [
    (n.name || 'everything') + (n.scope ? ` (${n.scope})` : ''), n.publishers.join(' ') || '–', n.watchers.join(' ') || '–', number(n.tracks)] })));
  before = now;
  show('live', relay.draining ? 'Live. The relay asks its peers to leave.' : 'Live');
}

// ---- One track ----

const opened = () => new URLSearchParams(location.hash.slice(1)).get('track');

/** strip shows a group from its first to its last object, holes as such. */
function strip(group) {
  const div = document.createElement('div');
  div.className = 'strip';
  const piece = (length, kind) => {
    if (length <= 0) return;
    const span = document.createElement('span');
    span.style.flexGrow = length;
    if (kind) span.dataset[kind] = '';
    div.append(span);
  };
  let next = group.first;
  for (const hole of group.holes) {
    piece(hole.from - next);
    piece(hole.to - hole.from + 1, hole.absent ? 'absent' : 'hole');
    next = hole.to + 1;
  }
  piece(group.last - next + 1);
  div.title = `${group.first} to ${group.last}, ${group.missing} missing`;
  return div;
}

async function showTrack() {
  const id = opened();
  $('detail').hidden = id === null;
  if (id === null) return;
  let d;
  try {
    d = await (await ask(`/v1/tracks/${encodeURIComponent(id)}`)).json();
  } catch (err) {
    if (!(err instanceof Refused) || err.status !== 404) throw err;
    $('d-name').textContent = err.message;
    return;
  }
  $('d-name').textContent = d.full_name;
  $('d-facts').textContent = `${d.state}, ${number(d.counters.objects_in)} objects in, ${number(d.counters.objects_out)} out, from ` +
    `${d.sources.map((s) => `${s.session} (${s.state})`).join(', ') || 'nobody'}`;
  table('groups', d.groups.toReversed().map((g) => ({ id: String(g.id), cells: [String(g.id), number(g.objects), bytes(g.bytes),
    g.ended ? 'ended' : g.open ? 'open' : 'waits', strip(g)] })));
  table('subscribers', d.subscriptions.map((s, i) => ({ id: `${s.session} ${s.alias ?? i}`, cells: [s.session, s.forward ? s.state : `${s.state}, not forwarded`,
    s.range, number(s.counters.objects_out), delays(s.lag), `${s.counters.groups_behind} groups, ${bytes(s.counters.bytes_behind)}`, number(total(s.counters.dropped))] })));
  table('objects', d.objects.slice(-OBJECTS).toReversed().map((o) => ({ id: String(o.number), cells: [place(o.location), time(o.arrived), number(o.size),
    o.status, payload(o.peek, o.size)] })));
}

$('close').addEventListener('click', (e) => {
  e.preventDefault();
  history.replaceState(null, '', location.pathname);
  showTrack();
});
addEventListener('hashchange', () => {
  table('groups', []);
  showTrack().then(() => $('detail').scrollIntoView({ block: 'start' }), () => {}); // the next turn of main says why
});

// ---- What happened ----

const happened = []; // the newest first

function addEvent(e) {
  const row = e.skipped
    ? { id: `skipped ${happened.length}`, cells: ['', '', '', `${number(e.skipped)} events were too fast to be shown.`] }
    : { id: String(e.number), level: e.level, cells: [time(e.time), e.level, e.kind,
      [e.text, ...Object.entries(e.detail ?? {}).map(([k, v]) => `${k}=${v}`), e.session ? `session=${e.session}` : ''].filter(Boolean).join(' ')] };
  happened.unshift(row);
  if (happened.length > EVENTS) happened.pop();
}

/** follow reads events for as long as the page is open. */
async function follow() {
  let run = '', after = 0;
  for (;;) {
    try {
      const answer = await ask(`/v1/events?after=${after}&run=${run}`, { Accept: 'application/x-ndjson' });
      if (answer.headers.get('Oxymoq-Run') !== run) after = 0;
      run = answer.headers.get('Oxymoq-Run') ?? '';
      let rest = '';
      const text = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await text.read(); !piece.done; piece = await text.read()) {
        const lines = (rest + piece.value).split('\n');
        rest = lines.pop();
        for (const line of lines.filter(Boolean)) {
          const e = JSON.parse(line);
          addEvent(e);
          after = e.number ?? after;
        }
        table('events', happened);
      }
    } catch {
      // The state says what is wrong.
    }
    await sleep(PAUSE);
  }
}

/** main keeps the page up to date. */
async function main() {
  let etag = '', state;
  for (;;) {
    try {
      const answer = await ask('/v1/state', etag ? { 'If-None-Match': etag } : {});
      if (answer.status === 304) state.time = answer.headers.get('Oxymoq-Time');
      else state = await answer.json();
      etag = answer.headers.get('ETag') ?? '';
      showState(state);
      await showTrack();
      await sleep(PERIOD);
    } catch (err) {
      await explain(err);
    }
  }
}

follow();
main();
