// Runs a program with a screen in a terminal that is a page, presses its keys, and
// saves what is seen:
//
//   node scripts/browser/picture.mjs ROWSxCOLUMNS STEPS COMMAND...
//
// STEPS are words: a number waits for that many seconds, /TEXT/ until the text is
// seen, key:NAME presses a key, and NAME.png saves a picture.

import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Browser } from './chromium.mjs';
import { eventually } from './program.mjs';

const limit = 150 * 1024; // bytes of a picture
const keys = { enter: '\r', esc: '\x1b', up: '\x1b[A', down: '\x1b[B' };
const theme = { background: '#14161a', foreground: '#d8dbe0', brightBlack: '#8a8f98' }; // what is dim can be read

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const file = (name) => fileURLToPath(new URL(`node_modules/@xterm/xterm/${name}`, import.meta.url));

/** terminal makes the page; what it has to say to the program goes to reply. */
async function terminal(browser, rows, cols, reply) {
  const page = await browser.open('terminal', 'about:blank');
  await page.setViewportSize({ width: cols * 12, height: rows * 24 }); // more than it needs
  await page.addStyleTag({ path: file('css/xterm.css') });
  await page.addScriptTag({ path: file('lib/xterm.js') });
  await page.exposeFunction('reply', reply);
  await page.evaluate((options) => {
    const t = globalThis.terminal = new globalThis.Terminal(options);
    t.open(document.body);
    t.onData((data) => globalThis.reply(data));
  }, { rows, cols, theme, fontFamily: 'DejaVu Sans Mono, monospace', fontSize: 15, allowProposedApi: true });
  return page;
}

/** text is what the page shows, line by line. */
const text = (page) => page.evaluate(() => {
  const buffer = globalThis.terminal.buffer.active;
  return Array.from({ length: globalThis.terminal.rows }, (_, i) => buffer.getLine(buffer.viewportY + i).translateToString(true)).join('\n');
});

/** save writes a picture of the terminal alone. */
async function save(page, path) {
  await page.locator('.xterm-screen').screenshot({ path });
  const { size } = await stat(path);
  if (size > limit) throw new Error(`${path}: ${size} bytes are more than ${limit}`);
  console.log(`${path}: ${size} bytes`);
}

const [size, steps, ...command] = process.argv.slice(2);
const [rows, cols] = size.split('x').map(Number);
const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
const browser = await Browser.start();
let child;
try {
  const page = await terminal(browser, rows, cols, (data) => child.stdin.write(data));
  child = spawn('script', ['-qfec', `stty rows ${rows} cols ${cols}; exec ${quoted}`, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm-256color', COLORTERM: 'truecolor', LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  process.on('exit', () => child.kill('SIGTERM')); // however this one ends
  child.stdin.on('error', () => {}); // it has ended: the next step says so
  child.stdout.on('data', (bytes) => {
    page.evaluate((data) => {
      globalThis.terminal.write(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)));
    }, bytes.toString('base64')).catch(() => {}); // the page is closed
  });
  for (const step of steps.split(/\s+/).filter(Boolean)) {
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}:\n${await text(page)}`);
    const [, key] = /^key:(.+)$/.exec(step) ?? [];
    if (/^[\d.]+$/.test(step)) await sleep(step * 1000);
    else if (/^\/.*\/$/.test(step)) await eventually(30, step, async () => (await text(page)).includes(step.slice(1, -1)));
    else if (key) child.stdin.write(keys[key] ?? key);
    else if (step.endsWith('.png')) await save(page, step);
    else throw new Error(`no such step: ${step}`);
  }
} finally {
  child?.kill('SIGTERM'); // and it ends the program
  await browser.close();
}
