// The library @moq/net in pages of its own, one for publishing and one for
// subscribing, each with a session for every draft that it shares with the relay.

import assert from 'node:assert/strict';

/** spoken are the drafts of the ietf/version.js of @moq/net that it has a handshake for. */
const spoken = ['14', '15', '16', '17', '18', '19', '20'];

const seconds = 20; // for each step of a session
const run = 20; // numbers that each subscriber must get without a hole

/** shared gives the drafts that a relay and @moq/net both speak, in the relay's order. */
export async function shared(admin) {
  const { relay } = await (await fetch(new URL('/v1/state', admin))).json();
  const drafts = relay.drafts.filter((draft) => spoken.includes(draft));
  assert.ok(drafts.length > 0, `the relay speaks ${relay.drafts}, @moq/net ${spoken}`);
  return drafts;
}

/** open makes a session by each draft in a page of the library, where globalThis.sessions has them. */
export async function open(browser, site, name, url, drafts) {
  const page = await browser.open(`net ${name}`, site.url('net'));
  await page.waitForFunction(() => globalThis.Moq);
  const failures = await page.evaluate(async ([url, drafts, seconds]) => {
    globalThis.sessions = {};
    const connect = async (draft) => {
      try {
        // Only one draft is offered; 14 has no name there, its versions stand in CLIENT_SETUP (section 9.3).
        const protocols = draft === '14' ? [] : [`moqt-${draft}`];
        const options = { websocket: { enabled: false }, webtransport: { protocols }, signal: AbortSignal.timeout(seconds * 1000) };
        const session = await globalThis.Moq.Connection.connect(new URL(url), options);
        globalThis.sessions[draft] = session;
        if (session.version !== `moq-transport-${draft}`) return `draft ${draft}: the session speaks ${session.version}`;
      } catch (err) {
        return `draft ${draft}: ${err.errors ?? err}`; // one for each transport that was tried
      }
    };
    return (await Promise.all(drafts.map(connect))).filter(Boolean);
  }, [url, drafts, seconds]);
  assert.deepEqual(failures, [], `sessions of the ${name}`);
  return page;
}

/** pathOf is where what comes by a draft is published. */
export const pathOf = (draft) => `demo/from${draft}`;

/** publish counts in a track below pathOf(draft), one group for each number. */
export const publish = (page, draft) => page.evaluate(([draft, where]) => {
  const broadcast = new globalThis.Moq.Broadcast.Producer(), track = broadcast.createTrack('numbers');
  globalThis.sessions[draft].publish(globalThis.Moq.Path.from(where), broadcast);
  let n = 0;
  setInterval(() => track.writeString(String(n++)), 50);
}, [draft, pathOf(draft)]);

/** missing subscribes by a draft to what is published by another, and tells what is wrong with what came, if something is. */
export async function missing(page, from, to) {
  const { all, why } = await page.evaluate(async ([to, where, run, seconds]) => {
    const all = [];
    const complete = () => all.length >= run && Array.from({ length: run }, (_, i) => Math.min(...all) + i).every((n) => all.includes(n));
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`not within ${seconds} s`)), seconds * 1000));
    const session = globalThis.sessions[to];
    const closed = session.closed.then(() => Promise.reject(new Error('the session is closed')));
    const track = session.consume(globalThis.Moq.Path.from(where)).track('numbers').subscribe();
    const read = async () => {
      const group = await track.recvGroup();
      if (!group) throw new Error('the track has ended');
      return Number(await group.readString());
    };
    try {
      // The groups come newest first where there is a choice, so in any order.
      while (!complete()) all.push(await Promise.race([read(), late, closed]));
      return { all };
    } catch (err) {
      return { all, why: String(err) };
    }
  }, [to, pathOf(from), run, seconds]);
  const got = `publisher on draft ${from}, subscriber on draft ${to}: got ${all.join(' ') || 'nothing'}`;
  if (why) return `${got}; ${run} numbers without a hole: ${why}`;
  if (new Set(all).size !== all.length) return `${got}; numbers came twice`;
  return undefined;
}
