// Headless Chromium of the machine, driven over its debugging protocol.

import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const args = [
  '--no-sandbox', // as root there is none
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--use-fake-device-for-media-stream=fps=30',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

/** Browser is one Chromium. Pages keep what they say, for when a test fails. */
export class Browser {
  #server;
  #browser;
  #said = [];

  static async start() {
    const b = new Browser();
    b.#server = await chromium.launchServer({ executablePath, args, headless: true });
    b.#browser = await chromium.connect(b.#server.wsEndpoint());
    return b;
  }

  /** open shows an address in a new window, which shares nothing with others. */
  async open(name, url) {
    const context = await this.#browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const say = (text) => {
      this.#said.push(`${name}: ${text}`.slice(0, 300));
    };
    page.on('console', (message) => say(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (err) => say(`error: ${err}`));
    page.on('crash', () => say('crashed'));
    await page.goto(url);
    return page;
  }

  /** said is what the pages said last. */
  said() {
    return this.#said.slice(-60).join('\n');
  }

  /** kill ends all of its processes without warning. */
  kill() {
    process.kill(-this.#server.process().pid, 'SIGKILL'); // it leads its own group
  }

  async close() {
    await this.#browser.close().catch(() => {}); // it may have been killed
    await this.#server.close().catch(() => {});
  }
}
