// A site with the browser programs of moq-dev, bundled from npm as they are: a
// page that publishes a camera, one that watches, and one with the library alone.
// What stands in the query of a page's address becomes attributes of its element,
// as in /watch?name=flvstreamer&url=http://localhost:4433/moq.

import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const modules = { publish: '@moq/publish/element', watch: '@moq/watch/element', net: '@moq/net' };

/** bundle writes NAME.js for every module into the directory. */
async function bundle(directory) {
  await mkdir(directory, { recursive: true });
  const here = path.dirname(fileURLToPath(import.meta.url));
  for (const [name, module] of Object.entries(modules)) {
    // The library has no side effect of its own, so the page gets it by a name.
    const contents = name === 'net' ? `import * as Moq from '${module}'; globalThis.Moq = Moq;` : `import '${module}';`;
    await build({
      stdin: { contents, resolveDir: here }, outfile: path.join(directory, `${name}.js`),
      bundle: true, format: 'esm', target: 'es2022', logLevel: 'error',
    });
  }
}

const bodies = {
  publish: '<moq-publish muted><video muted autoplay></video></moq-publish>',
  watch: '<moq-watch muted visible="always"><canvas></canvas></moq-watch>',
  net: '',
};

/** attributes is the part of a page that gives its element the attributes of the query, the address last, which starts it. */
const attributes = `
  const all = [...new URLSearchParams(location.search)].sort(([a], [b]) => (a === 'url') - (b === 'url'));
  for (const [name, value] of all) document.body.firstElementChild?.setAttribute(name, value);`;

/** serveMedia bundles and serves the pages, on a free port if none is given; close() ends it. */
export async function serveMedia(directory, port = 0) {
  await bundle(directory);
  const server = createServer(async (request, response) => {
    const [, name, extension] = /^\/(\w+)(\.js)?$/.exec(new URL(request.url, 'http://localhost').pathname) ?? [];
    if (!(name in bodies)) {
      response.writeHead(404).end();
    } else if (extension) {
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(await readFile(path.join(directory, `${name}.js`)));
    } else {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
        .end(`<!doctype html><title>${name}</title><link rel="icon" href="data:,">${bodies[name]}`
          + `<script type="module" src="${name}.js"></script><script type="module">${attributes}</script>`);
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: (name) => `http://127.0.0.1:${server.address().port}/${name}`,
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
