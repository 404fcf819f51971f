import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCurl } from '../support/curl-command.ts';
import { csvRows } from '../support/make-matrix.ts';
import { blocksOf, root } from '../support/markdown-blocks.ts';

const document = 'docs/tutorial.md';
const workplace = mkdtempSync(path.join(tmpdir(), 'fhirsight-tutorial-'));
let server: ChildProcess | undefined;
afterAll(async () => {
  if (server !== undefined) {
    const ended = once(server, 'close');
    server.kill('SIGTERM');
    await ended;
  }
  rmSync(workplace, { recursive: true, force: true });
}, 60_000);

/** What the tutorial calls `npx fhirsight`, from the sources. */
const bin = path.join(workplace, 'bin');
mkdirSync(bin);
writeFileSync(path.join(bin, 'npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${root}/src/main.ts' "$@"\n`);
chmodSync(path.join(bin, 'npx'), 0o755);
symlinkSync(path.join(root, 'models'), path.join(workplace, 'models'));

/** Where Python's packages come from is a matter of the machine; the settings of a server are those of the tutorial. */
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(?:HOME|SSL_CERT_FILE|PIP_.*)$/.test(name))),
  PATH: `${bin}:${process.env.PATH}`,
  PORT: '0',
  LOG_LEVEL: 'warn',
};

/** The settings that the reader exported so far. */
let settings = '';

async function run(commands: string): Promise<string> {
  const options = { cwd: workplace, env, maxBuffer: 64_000_000 };
  const shell = ['-eo', 'pipefail', '-c', `${settings}\n${commands}`];
  const { stdout, stderr } = await promisify(execFile)('bash', shell, options).catch(
    (error: Error & { stdout: string }) => {
      throw new Error(`${error.message}\n${error.stdout}`, { cause: error });
    },
  );
  settings += commands
    .split('\n')
    .filter((line) => line.startsWith('export '))
    .map((line) => `\n${line}`)
    .join('');
  return `${stdout}${stderr}`;
}

async function serve(command: string): Promise<string> {
  const child = spawn('bash', ['-eo', 'pipefail', '-c', `${settings}\nexec ${command}`], { cwd: workplace, env });
  server = child;
  let output = '';
  return await new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      const url = /fhirsight is ready at (http:\/\/\S+)[\s\S]*Stop with/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('close', () => reject(new Error(`the server ended:\n${output}`)));
  });
}

const file = (name: string): string => readFileSync(path.join(workplace, name), 'utf8');

describe(document, () => {
  it('goes from records to a served model and its card, each command as it stands there', async () => {
    let url = '';
    let answered = '';
    const printed = new Map<string, string>();
    for (const { text, mark, line } of blocksOf(document)) {
      const place = `${document}:${line}`;
      switch (mark?.name) {
        case 'file':
          mkdirSync(path.dirname(path.join(workplace, mark.value)), { recursive: true });
          writeFileSync(path.join(workplace, mark.value), `${text}\n`);
          break;
        case 'run':
          printed.set(text, await run(text));
          break;
        case 'serve':
          url = await serve(text);
          break;
        case 'status': {
          const call = parseCurl(text);
          const response = await fetch(call.url.replace('http://127.0.0.1:8080', url), {
            method: call.method,
            headers: call.headers,
            ...(call.body === undefined ? {} : { body: call.body }),
          });
          answered = await response.text();
          expect(response.status, `${place}: ${answered}`).toBe(Number(mark.value));
          break;
        }
        case 'answer':
          expect(JSON.parse(answered), place).toMatchObject(JSON.parse(text));
          break;
        default:
          throw new Error(`${place}: the block has no mark, so that nobody runs it`);
      }
    }
    const output = (part: string): string => [...printed].find(([command]) => command.includes(part))?.[1] ?? '';
    expect(output('lint')).toContain('0 errors');
    expect(output('models reload')).toContain('tutorial-hypertension@1.0.0');
    expect(output('promote')).toMatch(/candidate/);
    expect(output('promote')).toContain('tutorial-hypertension@1.0.0');
    expect(answered).toContain('New hypertension within two years (tutorial, synthetic)');

    const rows = csvRows(file('tutorial/test.csv').replaceAll(/\r?\n/g, '\r\n'));
    expect(rows.length).toBeGreaterThan(80);
    const card = JSON.parse(file('tutorial/models/tutorial-hypertension/1.0.0/model-card.json'));
    const report = JSON.parse(file('tutorial/report.json'));
    for (const { measure, value } of card.performance)
      expect(report.measures[measure].value, measure).toBeCloseTo(value, 6);
    expect(file('tutorial/report.html')).toMatch(/not for clinical use/i);
  }, 900_000);
});
