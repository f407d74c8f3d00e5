// Serves the pages of media.mjs for people, until it is interrupted.
//
//   node scripts/browser/pages.mjs DIRECTORY [PORT]
//
// DIRECTORY is for the bundles; PORT is 8081 if it is not given.

import { serveMedia } from './media.mjs';

const [directory, port = '8081'] = process.argv.slice(2);
if (!directory || !/^\d+$/.test(port)) {
  console.error('usage: node scripts/browser/pages.mjs DIRECTORY [PORT]');
  process.exit(2);
}
try {
  const site = await serveMedia(directory, Number(port));
  console.log(`pages: ${site.url('watch')} ${site.url('publish')}`);
} catch (err) {
  console.error(`pages.mjs: ${err.code === 'EADDRINUSE' ? `TCP port ${port} is taken; give another` : err.message}.`);
  process.exit(1);
}
