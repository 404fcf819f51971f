#!/usr/bin/env node
// Plain JavaScript on purpose: it must run on every Node.js, to say which one is needed.
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `fhirsight needs Node.js 22.18 or newer; this is ${process.version}. ` +
      'Start it with "npm start", which brings its own (install without --omit=dev and --ignore-scripts), or install Node.js 24 LTS.',
  );
  process.exit(1);
}
// A checkout runs its sources; an installed package has only what was built.
const sources = new URL('../src/main.ts', import.meta.url);
await import(existsSync(sources) ? sources.href : new URL('../dist/main.js', import.meta.url).href);
