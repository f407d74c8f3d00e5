// Programs in the background, and waiting for what they do.

import { spawn } from 'node:child_process';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** eventually asks until the answer is truthy, and gives it; after that many seconds it fails. */
export async function eventually(seconds, what, ask) {
  for (const end = Date.now() + seconds * 1000; ; await sleep(50)) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
  }
}

/** Program is a command of ours that runs; all are ended by Program.endAll. */
export class Program {
  static #all = new Set();

  /** stderr is all that it has said so far. */
  stderr = '';
  /** exit is its exit code, or the signal that ended it; undefined while it runs. */
  exit;
  #child;

  constructor(command, ...args) {
    this.name = command;
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.#child.on('error', (err) => {
      this.stderr += `${err}\n`;
      this.exit = 'not started';
    });
    // At "close" stderr has been read to its end.
    this.#child.on('close', (code, signal) => {
      this.exit ??= code ?? signal;
    });
    Program.#all.add(this);
  }

  signal(name) {
    this.#child.kill(name);
  }

  /** said waits for a match on its standard error, from that offset on. */
  async said(pattern, seconds = 15, from = 0) {
    const what = `${this.name} says ${pattern}`;
    const match = await eventually(seconds, what, () => pattern.exec(this.stderr.slice(from)) ?? (this.exit !== undefined && 'ended'));
    if (match === 'ended') throw new Error(`${what}: it ended with ${this.exit}`);
    return match;
  }

  /** ended waits for its end and gives its exit code. */
  async ended(seconds = 15) {
    await eventually(seconds, `${this.name} ends`, () => this.exit !== undefined);
    return this.exit;
  }

  /** endAll kills what still runs and returns the last words of all. */
  static async endAll() {
    let words = '';
    for (const program of Program.#all) {
      if (program.exit === undefined) program.signal('SIGKILL');
      await program.ended();
      words += `--- ${program.name}, standard error:\n${program.stderr.split('\n').slice(-40).join('\n')}\n`;
    }
    return words;
  }
}
