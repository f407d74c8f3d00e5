// Drives Chromium against a real relay: the pages of internal/watch and pkg/admin,
// and the browser programs of moq-dev. Every check prints a line; exit code 1 if one
// fails, with what programs and pages said last.
//
//   node scripts/browser/drive.mjs DIRECTORY [CHECK...]
//
// moqrelayserver and moqdateserver are found in PATH; DIRECTORY is for files.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Browser } from './chromium.mjs';
import { serveMedia } from './media.mjs';
import * as net from './net.mjs';
import { eventually, Program } from './program.mjs';

const [directory, ...wanted] = process.argv.slice(2);
assert.ok(directory, 'usage: drive.mjs DIRECTORY [CHECK...]');

let browser, relay, port, hash, admin, site, killed;

/** startRelay starts the relay, on a free port or the one it had. */
async function startRelay(...flags) {
  relay = new Program('moqrelayserver', '-port', String(port ?? 0), '-admin', '0', ...flags);
  port = (await relay.said(/is ready: moqt:\/\/localhost:(\d+)/))[1];
  hash = (await relay.said(/SHA-256 ([0-9a-f]{64})/))[1];
  admin = await adminOf(relay);
}

/** adminOf is where the admin API of a relay is. */
const adminOf = async (program) => (await program.said(/admin API is at (http:\S+)\.\n/))[1];

/** watching are the sessions of our page that the log of the relay names. */
const watching = () => [...relay.stderr.matchAll(/ session session=(\S+) .*implementation=oxymoq-watch/g)].map((m) => m[1]);

/** sessionEnded waits until the relay says how a session ended; of a browser that is killed it hears nothing. */
const sessionEnded = (id) => relay.said(new RegExp(`session ended session=${id} .*`), 30);

const watchPage = (host) => `http://${host}:${port}/?relay=/moq-relay&namespace=moq-date&track=date`;

/** rows are the objects that a page shows, the oldest first. */
const rows = (page) => page.locator('#objects tr').evaluateAll((all) => all.reverse().map((tr) => ({
  group: Number(tr.dataset.group), object: Number(tr.dataset.object), status: tr.dataset.status,
  how: tr.dataset.how, text: tr.lastElementChild.textContent,
})));

/** live waits until the page has got that many objects live, beyond a place if one is given, and gives all. */
const live = (page, n, beyond = { group: 0, object: 0 }) => eventually(20, `${n} objects live`, async () => {
  const all = await rows(page);
  const later = (r) => r.group > beyond.group || (r.group === beyond.group && r.object > beyond.object);
  return all.filter((r) => r.how === 'live' && later(r)).length >= n && all;
});

/** checkDate checks that the objects are those of the date, from the beginning of a minute and without a hole. */
function checkDate(all) {
  let want = { group: all[0].group, object: 0 };
  for (const { group, object, status, text } of all) {
    if (want.object > 60 && group === want.group + 1) want = { group, object: 0 };
    assert.deepEqual({ group, object }, want, `after ${want.object} objects of group ${want.group}`);
    if (object === 61) assert.equal(status, '3', 'the end of the group');
    else if (object === 0) assert.equal(text, `${new Date(group * 60_000).toISOString().slice(0, 16).replace('T', ' ')}:`);
    else assert.equal(text, String(object - 1));
    want.object++;
  }
}

/** tryWebTransport makes a session from within a page, with the options, and gives the protocol or the error. */
const tryWebTransport = (page, where, protocols, pinned) => page.evaluate(async ([url, protocols, hex]) => {
  const value = Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16));
  const transport = new WebTransport(url, { protocols, serverCertificateHashes: [{ algorithm: 'sha-256', value }] });
  transport.closed.catch(() => {});
  try {
    await transport.ready;
    transport.close();
    return transport.protocol;
  } catch (err) {
    return String(err);
  }
}, [`https://${where}`, protocols, pinned]);

/** start sets the attributes of an element, the address last, which starts it. */
const start = (page, element, attributes) => page.evaluate(([element, attributes, url]) => {
  const e = document.querySelector(element);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.setAttribute('url', url);
}, [element, attributes, `http://127.0.0.1:${port}/moq-relay`]);

/** frames is how many pictures a <moq-watch> has decoded. */
const frames = (page) => page.evaluate(() => document.querySelector('moq-watch').video.out.stats.peek()?.frameCount ?? 0);

/** playing waits until a page decodes pictures, and goes on to do so. */
async function playing(page) {
  const first = await eventually(30, 'the first pictures', () => frames(page));
  await eventually(20, '30 more pictures', async () => (await frames(page)) >= first + 30);
}

const checks = {
  async 'the page reads the date with the hash, by address and by name'() {
    for (const host of ['127.0.0.1', 'localhost']) {
      const page = await browser.open(host, watchPage(host));
      const all = await live(page, 3);
      checkDate(all);
      assert.ok(all.some((r) => r.how === 'joined'), 'nothing was joined');
      assert.equal(await page.locator('#notes li').count(), 0, 'something ended');
      const served = await page.evaluate(async () => (await fetch('/certificate.sha256')).text());
      assert.equal(served, hash, 'the hash that is served is not the printed one');
      await page.close();
    }
  },

  async 'only the printed hash, the path and a common draft open a session'() {
    const page = await browser.open('sessions', watchPage('127.0.0.1'));
    const at = `127.0.0.1:${port}/moq-relay`, wrong = hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    assert.equal(await tryWebTransport(page, at, ['moqt-99', 'moqt-18'], hash), 'moqt-18');
    assert.match(await tryWebTransport(page, at, ['moqt-18'], wrong), /handshake failed/, 'with a wrong hash');
    assert.match(await tryWebTransport(page, `127.0.0.1:${port}/nothing`, ['moqt-18'], hash), /handshake failed/, 'at a wrong path');
    assert.match(await tryWebTransport(page, at, ['moqt-99'], hash), /handshake failed/, 'without a common draft');
    await page.close();
  },

  async 'closing the relay gives the page code and reason, and it comes back'() {
    const page = await browser.open('closed', watchPage('localhost'));
    const before = (await live(page, 1)).at(-1), id = watching().at(-1);
    relay.signal('SIGTERM');
    const ending = await eventually(20, 'the end of the session', async () => {
      const note = page.locator('#notes li[data-kind="Session ended"]');
      return (await note.count()) > 0 && note.first().evaluate((li) => ({ ...li.dataset }));
    });
    assert.equal(await page.locator('#notes li[data-kind="GOAWAY"]').count(), 1, 'GOAWAY came');
    assert.equal(await relay.ended(), 0);
    // Two clocks of the relay strike at the same time, and it says which was first.
    const [, name, reason] = new RegExp(`session ended session=${id} .*closed by us with (\\w+): ([^"]+)`).exec(relay.stderr);
    assert.deepEqual(ending, { kind: 'Session ended', code: { GOAWAY_TIMEOUT: '16', NO_ERROR: '0' }[name], reason });
    await startRelay('-drain', '1');
    await live(page, 2, before);
    assert.equal(await page.locator('body').getAttribute('data-state'), 'live');
    await page.close();
  },

  async 'the page of the admin API shows the relay live'() {
    const watcher = await browser.open('watched', watchPage('localhost'));
    await live(watcher, 1);
    const page = await browser.open('admin', admin), complaints = [], asked = new Set();
    page.on('console', (m) => m.type() === 'error' && complaints.push(m.text()));
    page.on('request', (r) => asked.add(new URL(r.url()).origin));
    await page.reload();
    const cells = (row) => page.locator(row).evaluateAll((all) => all.map((tr) => Array.from(tr.cells, (td) => td.textContent)));
    const date = () => eventually(20, 'the date among the tracks', async () => (await cells('#tracks tr')).find((c) => c[0] === 'moq.2ddate--date' && c[1] === 'live'));
    const status = (state) => eventually(20, `the page is ${state}`, async () => (await page.locator('body').getAttribute('data-state')) === state);
    const largest = (await date())[2];
    await eventually(20, 'a later object', async () => (await date())[2] !== largest);
    await eventually(20, 'rates', async () => /bit\/s/.test((await date())[4]));
    assert.ok((await cells('#sessions tr')).some((c) => c[2] === 'wt' && c[5].startsWith('oxymoq-watch')), 'the watcher is not among the sessions');
    assert.ok((await cells('#namespaces tr')).some((c) => c[0] === 'moq.2ddate'), 'the namespace is missing');

    // One track, whose objects go on coming.
    await page.locator('#tracks a', { hasText: 'moq.2ddate--date' }).click();
    const newest = async () => (await cells('#objects tr')).find((c) => /^\d\d:\d\d:\d\d\.\d{3}$/.test(c[1]))?.[0];
    const before = await eventually(20, 'objects of the track', newest);
    await eventually(20, 'a later object of the track', async () => (await newest()) !== before);
    assert.ok((await page.locator('#groups .strip span').count()) > 0, 'no group is drawn');
    assert.ok((await cells('#subscribers tr')).length > 0, 'nobody subscribes');
    await page.locator('#close').click();
    await eventually(20, 'the track is closed', async () => !(await page.locator('#detail').isVisible()));

    // What happens is told, and that the relay cannot be asked.
    await watcher.close();
    await eventually(20, 'the end of a session', async () => (await cells('#events tr')).some((c) => c[3].startsWith('session ended')));
    assert.deepEqual(complaints, []);
    assert.deepEqual([...asked], [admin]);
    await page.context().setOffline(true);
    await status('down');
    await page.context().setOffline(false);
    await status('live');
    await page.close();
  },

  async 'the page of the admin API asks for a token'() {
    const tokens = path.join(directory, 'tokens');
    writeFileSync(tokens, 'read 0123456789abcdef', { mode: 0o600 });
    const guarded = new Program('moqrelayserver', '-port', '0', '-admin', '0', '-admin_token', tokens, '-name', 'guarded');
    const page = await browser.open('guarded', await adminOf(guarded));
    for (const [token, name] of [['wrong', 'oxymoq'], ['0123456789abcdef', 'guarded']]) {
      await page.locator('#login input').fill(token);
      await page.locator('#login button').click();
      await eventually(20, `the name is ${name}`, async () => (await page.locator('#name').textContent()) === name);
      await eventually(20, 'the form is as it should be', async () => (await page.locator('#login').isVisible()) === (token === 'wrong'));
    }
    guarded.signal('SIGTERM');
    assert.equal(await guarded.ended(), 0);
    await page.close();
  },

  async 'the relay hears that a page is closed'() {
    const page = await browser.open('left', watchPage('localhost'));
    await live(page, 1);
    const id = watching().at(-1);
    await page.close();
    assert.match((await sessionEnded(id))[0], /closed by the peer with NO_ERROR/);

    // How a browser ends that is killed, the last check waits to see.
    const other = await Browser.start();
    try {
      await live(await other.open('killed', watchPage('localhost')), 1);
      killed = watching().at(-1);
      assert.notEqual(killed, id);
      other.kill();
    } finally {
      await other.close();
    }
  },

  async '@moq/publish and @moq/watch, with announcements'() {
    await media('announced.hang', {});
  },

  async '@moq/publish and @moq/watch, without announcements'() {
    await media('known.hang', { reload: 'false' });
  },

  async '@moq/net publishes and subscribes on every draft, and from one to another'() {
    const url = `http://127.0.0.1:${port}/moq-relay`, drafts = await net.shared(admin);
    const pairs = drafts.map((draft) => [draft, draft]);
    if (drafts.length > 1) pairs.push([drafts[0], drafts.at(-1)]);
    const [publisher, subscriber] = await Promise.all(['publisher', 'subscriber'].map((who) => net.open(browser, site, who, url, drafts)));
    for (const draft of drafts) await net.publish(publisher, draft);
    for (const draft of drafts) await relay.said(new RegExp(`namespace published.*${net.pathOf(draft).replace('/', '-')}\\b`));
    const wrong = await Promise.all(pairs.map(([from, to]) => net.missing(subscriber, from, to)));
    assert.deepEqual(wrong.filter(Boolean), []);
    console.log(`     ${pairs.map(([from, to]) => `${from} to ${to}`).join(', ')}`);
    await subscriber.close();
    await publisher.close();
  },

  // G and H of READMOQMEDIA.md.
  async 'an FLV stream plays in @moq/watch'() {
    flvSettings('flv/out', 12);
    const streamer = new Program('bash', 'scripts/media/browser-player.sh', 'watch');
    await streamer.said(/publishing track=video0/, 30);
    const page = await browser.open('flv watcher', `${site.url('watch')}?reload=false&name=flv/out&url=http://127.0.0.1:${port}/moq-relay`);
    await playing(page);
    assert.equal(await streamer.ended(60), 0);
    await page.close();
  },

  async '@moq/publish is received as FLV'() {
    flvSettings('flv/in');
    const publisher = await browser.open('flv publisher', `${site.url('publish')}?source=camera&name=flv/in&url=http://127.0.0.1:${port}/moq-relay`);
    const file = path.join(directory, 'browser.flv');
    // ffmpeg of Debian 12 knows no Opus in FLV.
    const receiver = new Program('bash', 'scripts/media/browser-encoder.sh', file, '-audio', 'none');
    await receiver.said(/first picture/, 40);
    const packets = () => Number(spawnSync('ffprobe', ['-v', 'quiet', '-count_packets', '-select_streams', 'v', '-show_entries',
      'stream=nb_read_packets', '-of', 'csv=p=0', file]).stdout);
    await eventually(40, '60 pictures in the file', () => packets() >= 60);
    receiver.signal('SIGINT');
    assert.equal(await receiver.ended(), 0);
    // The camera's pace is uneven: its times are to be kept as they are.
    const decoded = spawnSync('ffmpeg', ['-nostdin', '-v', 'warning', '-xerror', '-i', file, '-enc_time_base', '-1', '-f', 'null', '-'], { encoding: 'utf8' });
    assert.equal(decoded.status, 0, decoded.stderr);
    assert.equal(decoded.stderr, '');
    await publisher.close();
  },

  async 'the relay notices that a browser is gone'() {
    assert.ok(killed, 'no browser was killed');
    assert.match((await sessionEnded(killed))[0], /timed out/);
  },
};

/** flvSettings are what the scripts of scripts/media take from the environment. */
function flvSettings(namespace, seconds = 300) {
  Object.assign(process.env, { MEDIA_URL: `https://127.0.0.1:${port}/moq-relay`, MEDIA_NAMESPACE: namespace, MEDIA_SECONDS: String(seconds) });
}

/** media has one page publish its camera and two watch it, of which one comes when it is in full swing. */
async function media(name, attributes) {
  const publisher = await browser.open(`${name} publisher`, site.url('publish'));
  await start(publisher, 'moq-publish', { name: `demo/${name}`, source: 'camera' });
  await relay.said(new RegExp(`namespace published.*demo-${name.replace('.', '\\.2e')}`), 30);
  const watchers = [];
  for (const who of ['first', 'late']) {
    const watcher = await browser.open(`${name} ${who} watcher`, site.url('watch'));
    watchers.push(watcher);
    await start(watcher, 'moq-watch', { name: `demo/${name}`, ...attributes });
    await playing(watcher);
  }
  for (const watcher of watchers) await watcher.close();
  await publisher.close();
}

let failed = 0;
try {
  await startRelay('-drain', '1');
  const publisher = new Program('moqdateserver', '-nolisten', '-utc', '-relay_url', `moqt://localhost:${port}/moq-relay`);
  await publisher.said(/namespace published/);
  site = await serveMedia(path.join(directory, 'site'));
  browser = await Browser.start();
  for (const [name, check] of Object.entries(checks)) {
    if (wanted.length > 0 && !wanted.some((w) => name.includes(w))) continue;
    const began = Date.now();
    try {
      await check();
      console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    } catch (err) {
      failed++;
      console.log(`FAIL ${name} (${((Date.now() - began) / 1000).toFixed(1)} s): ${err.stack}`);
      console.log(`--- the pages said:\n${browser.said()}`);
    }
  }
} catch (err) {
  failed++;
  console.log(`FAIL before the checks: ${err.stack}`);
} finally {
  await browser?.close();
  await site?.close();
  const words = await Program.endAll();
  if (failed > 0) console.log(words);
}
process.exitCode = failed > 0 ? 1 : 0;
