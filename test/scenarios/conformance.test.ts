import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, it } from 'vitest';
import { requirements } from '../../scripts/conformance/requirements.ts';
import { root } from '../support/fhirsight-process.ts';

/** What this server is not here: a client of another FHIR server. */
const notHere = ['SM-2'];

it('meets every requirement that can be seen from outside, driven as an EHR would drive it', async () => {
  const child = spawn(process.execPath, [path.join(root, 'scripts/conformance.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8');
  });
  const [code] = await once(child, 'close');

  const rows = printed.split('\n').flatMap((line) => {
    const [, id = '', state = ''] = /^([A-Z]+-\d+a?) +(pass|FAIL|not run|by test|n\/a) /.exec(line) ?? [];
    return id === '' ? [] : [{ id, state, line }];
  });
  expect(rows.map(({ id }) => id)).toEqual(requirements.map(({ id }) => id));
  expect(rows.filter(({ state }) => state === 'FAIL').map(({ line }) => line)).toEqual([]);
  expect(rows.filter(({ state }) => state === 'not run').map(({ id }) => id)).toEqual(notHere);
  expect(code).toBe(0);
}, 180_000);
