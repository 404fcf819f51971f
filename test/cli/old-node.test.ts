import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { root } from '../support/fhirsight-process.ts';
import { findOldNode } from '../support/system-node.ts';

const says =
  /fhirsight needs Node\.js 22\.18 or newer; this is v\d+\.\d+\.\d+\. Start it with "npm start".*install Node\.js 24 LTS/;

/** What `bin/fhirsight.js` does on another Node.js: an old one of this machine, or this one, which is told that it is old. */
async function runBin(): Promise<{ code?: unknown; stdout: string; stderr: string }> {
  const bin = path.join(root, 'bin/fhirsight.js');
  const old = findOldNode();
  const pretend = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.19.2'})`;
  const run = old === undefined ? [process.execPath, '--import', pretend, bin, 'help'] : [old, bin, 'help'];
  const [file = '', ...args] = run;
  return promisify(execFile)(file, args).catch((failed) => failed);
}

it('tells somebody with an old Node.js what to do, and exits 1', async () => {
  const { code, stdout, stderr } = await runBin();
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(says);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

it('runs the command on the Node.js of the project', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(root, 'bin/fhirsight.js'), 'help']);
  expect(stdout).toContain('fhirsight <command>');
});
