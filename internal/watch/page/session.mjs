// A MoQT session over WebTransport that subscribes to tracks: streams and
// requests of draft 18. What the bytes mean stands in wire.mjs, what is shown in
// main.mjs.

import * as wire from './wire.mjs';

/** The draft that is spoken, as a WebTransport subprotocol (3.1). */
export const PROTOCOL = 'moqt-18';

/** ALIAS_WAIT is how long (ms) objects wait for the SUBSCRIBE_OK that says whose they are (11.4.2). */
const ALIAS_WAIT = 2000;

/** DATAGRAMS is how many datagrams may wait for the page; a browser keeps only one by itself. */
const DATAGRAMS = 1000;

/** RequestRefused is a REQUEST_ERROR (10.6). */
export class RequestRefused extends Error {
  name = 'RequestRefused';
  constructor({ code, reason, retry }) {
    super(`${wire.requestCode(code)}: ${wire.toText(reason)}`);
    this.code = code;
    this.retry = retry === 0n ? undefined : Number(retry - 1n); // ms
  }
}

export class Session {
  /** closed resolves to {code, reason, remote} when the session has ended, and never rejects. */
  closed;
  /** onGoaway is called with the time (ms) that the relay gives to leave; 0: it names none. */
  onGoaway = () => {};

  #transport;
  #nextRequestID = 0n;
  #subscriptions = new Map(); // by track alias
  #parked = []; // whoever waits for an alias
  #fetches = new Map(); // by request ID
  #ending; // why we ended the session ourselves

  /** connect opens a session. hash is the SHA-256 of the only certificate to accept, or undefined to verify as usual. */
  static async connect(url, hash) {
    const options = { protocols: [PROTOCOL], allowPooling: false };
    if (hash) options.serverCertificateHashes = [{ algorithm: 'sha-256', value: hash }];
    const transport = new WebTransport(url, options);
    transport.closed.catch(() => {}); // told by ready
    await transport.ready;
    // A browser that does not know subprotocols names none, and relays take it for a client of draft 14.
    if (transport.protocol !== PROTOCOL) {
      transport.close({ closeCode: wire.VERSION_NEGOTIATION_FAILED, reason: `${PROTOCOL} is needed` });
      throw new Error(`the relay does not speak ${PROTOCOL}`);
    }
    const session = new Session(transport);
    await session.#begin();
    return session;
  }

  constructor(transport) {
    this.#transport = transport;
    this.closed = transport.closed.then(
      ({ closeCode, reason }) => this.#ending ?? { code: closeCode, reason, remote: true },
      (err) => this.#ending ?? { reason: err.message, remote: true },
    );
    this.closed.then(() => this.#end());
  }

  /** close ends the session with a code of 15.10.1. */
  close(code, reason) {
    this.#ending ??= { code, reason, remote: false };
    this.#transport.close({ closeCode: code, reason });
  }

  /** #begin opens our control stream and listens to everything that the relay opens (3.3). */
  async #begin() {
    const datagrams = this.#transport.datagrams;
    if ('incomingMaxBufferedDatagrams' in datagrams) datagrams.incomingMaxBufferedDatagrams = DATAGRAMS;
    else datagrams.incomingHighWaterMark = DATAGRAMS;
    this.#each(datagrams.readable, (bytes) => this.#datagram(bytes));
    this.#each(this.#transport.incomingUnidirectionalStreams, (s) => this.#unidirectional(new wire.ByteStream(s)));
    this.#each(this.#transport.incomingBidirectionalStreams, (s) => this.#refuse(s));
    const control = (await this.#transport.createUnidirectionalStream()).getWriter(); // never closed
    await control.write(wire.setup([[7n, 'oxymoq-watch']])); // MOQT_IMPLEMENTATION
  }

  /** #each hands on what a stream delivers until the session ends; the handlers run side by side. */
  async #each(readable, handle) {
    const reader = readable.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        Promise.resolve(handle(value)).catch((err) => this.#fault(err));
      }
    } catch {
      // The session has ended; `closed` says why.
    }
  }

  /** #fault ends the session for input that breaks a rule. What was refused or reset, its caller hears. */
  #fault(err) {
    if (err instanceof wire.WireError) this.close(wire.PROTOCOL_VIOLATION, err.message);
    else if (!(err instanceof WebTransportError || err instanceof RequestRefused)) console.error(err);
  }

  async #unidirectional(s) {
    const type = await s.vi();
    if (type === wire.SETUP) return this.#control(s);
    if (type === wire.FETCH_HEADER) {
      const fetch = this.#fetches.get(await s.vi());
      if (!fetch) return s.cancel(cancelled());
      try {
        for await (const o of wire.fetchObjects(s)) if (!o.range) fetch.onObject(o);
      } finally {
        fetch.finished();
      }
      return undefined;
    }
    if (wire.isSubgroup(type)) {
      const header = await wire.subgroupHeader(type, s);
      const subscription = await this.#whose(header.alias);
      if (!subscription) return s.cancel(cancelled());
      for await (const o of wire.subgroupObjects(header, s)) subscription.onObject(o);
      return undefined;
    }
    if (type === wire.PADDING_STREAM) return s.cancel(cancelled());
    throw new wire.WireError(`stream of type 0x${type.toString(16)}`);
  }

  /** #control reads the relay's control stream: SETUP, of which the type is read, and then nothing but GOAWAY (10.4). */
  async #control(s) {
    const [high, low] = await s.take(2);
    wire.decode(wire.SETUP, await s.take((high << 8) | low));
    for (;;) {
      const { type, payload } = await s.message();
      if (type !== wire.GOAWAY) throw new wire.WireError(`message 0x${type.toString(16)} on the control stream`);
      this.onGoaway(Number(wire.decode(type, payload, { control: true }).timeout));
    }
  }

  async #datagram(bytes) {
    const o = wire.decodeDatagram(bytes);
    if (o) (await this.#whose(o.alias))?.onObject(o);
  }

  /** #refuse answers a request of the relay: this page has nothing to offer. */
  async #refuse(s) {
    const writer = s.writable.getWriter();
    await writer.write(wire.requestError({ code: wire.NOT_SUPPORTED, reason: 'this page only watches' }));
    await writer.close();
  }

  /** #whose gives the subscription of a track alias; objects may come before the SUBSCRIBE_OK that tells it. */
  #whose(alias) {
    const known = this.#subscriptions.get(alias);
    if (known) return known;
    return new Promise((resolve) => {
      this.#parked.push({ alias, resolve });
      setTimeout(resolve, ALIAS_WAIT);
    });
  }

  /** #request opens a stream for a request (3.3): `message(requestID)` goes out, `answers` come. */
  async #request(message) {
    const requestID = this.#nextRequestID;
    this.#nextRequestID += 2n; // the client's are even (10.1)
    const { readable, writable } = await this.#transport.createBidirectionalStream();
    const answers = new wire.ByteStream(readable), writer = writable.getWriter();
    await writer.write(message(requestID));
    return {
      requestID,
      /** answer waits for the next message, which must be of that type; a REQUEST_ERROR is thrown. */
      answer: async (wanted) => {
        try {
          const { type, payload } = await answers.message();
          const m = wire.decode(type, payload);
          if (type === wire.REQUEST_ERROR) throw new RequestRefused(m);
          if (type !== wanted) throw new wire.WireError(`message 0x${type.toString(16)} instead of 0x${wanted.toString(16)}`);
          return m;
        } catch (err) {
          this.#fault(err);
          throw err;
        }
      },
    };
  }

  /**
   * subscribe asks for a track from now on, and by a joining FETCH for what came before in the current group.
   * onObject(o, joined) gets each object once, in whatever order they come; joined says that it was fetched. Resolves
   * when the relay has agreed, to promises: `joined` that the fetch is done, `ended` with {code, reason} of
   * PUBLISH_DONE. Whatever is refused rejects with RequestRefused.
   */
  async subscribe({ namespace, name, rendezvous, onObject }) {
    const parameters = { rendezvousTimeout: rendezvous, filter: { type: wire.LARGEST_OBJECT_FILTER } };
    const request = await this.#request((requestID) => wire.subscribe({ requestID, namespace, name, parameters }));
    const { alias, parameters: { largest } } = await request.answer(wire.SUBSCRIBE_OK);
    const subscription = { onObject: (o) => onObject(o, false) };
    this.#subscriptions.set(alias, subscription);
    for (const p of this.#parked) if (p.alias === alias) p.resolve(subscription);
    this.#parked = this.#parked.filter((p) => p.alias !== alias);
    // Without a largest object nothing was published yet, and there is nothing to join (10.12.2).
    const joined = largest ? this.#join(request.requestID, (o) => onObject(o, true)) : Promise.resolve();
    const ended = request.answer(wire.PUBLISH_DONE).then(({ code, reason }) => ({ code, reason: wire.toText(reason) }));
    return { joined, ended };
  }

  /** #join fetches the current group up to where the subscription begins. */
  async #join(joiningRequestID, onObject) {
    let finished;
    const data = new Promise((resolve) => {
      finished = resolve;
    });
    const request = await this.#request((requestID) => {
      this.#fetches.set(requestID, { onObject, finished });
      return wire.joiningFetch({ requestID, joiningRequestID, start: 0n });
    });
    try {
      await request.answer(wire.FETCH_OK);
      await data; // which may have come before
    } finally {
      this.#fetches.delete(request.requestID);
    }
  }

  /** #end lets go of everybody who still waits. */
  #end() {
    for (const { resolve } of this.#parked) resolve();
    this.#parked = [];
    for (const { finished } of this.#fetches.values()) finished();
  }
}

const cancelled = () => new WebTransportError({ source: 'stream', streamErrorCode: wire.CANCELLED });
