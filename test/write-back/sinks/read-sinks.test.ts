import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PredictionError } from '../../../src/platform/errors.ts';
import { readSinks } from '../../../src/write-back/sinks/read-sinks.ts';

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-sinks-'));
  file = path.join(folder, 'sinks.json');
});
afterAll(() => rm(folder, { recursive: true }));

async function refusal(content: unknown): Promise<string> {
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  const error = await readSinks(file).then(
    () => undefined,
    (refused: unknown) => refused,
  );
  if (!(error instanceof PredictionError)) throw new Error('not refused');
  expect(error.code).toBe('CONFIG_INVALID');
  expect(error.message).toContain(file);
  return error.message;
}

const ehr = { name: 'ehr', kind: 'fhir-transaction', url: 'https://ehr.example.org/fhir/' };
const files = { name: 'files', kind: 'ndjson', folder: 'out' };

test('without a file there is no sink', async () => {
  expect(await readSinks(undefined)).toEqual([]);
});

test('a sink has its defaults; paths are relative to the file, and the URL loses its last slash', async () => {
  await writeFile(
    file,
    JSON.stringify({
      sinks: [
        { ...ehr, tokenFile: 'token' },
        files,
        { ...ehr, name: 'chart', kind: 'fhir-creates', as: 'observation' },
      ],
    }),
  );
  const [first, second, third] = await readSinks(file);
  expect(first).toMatchObject({
    url: 'https://ehr.example.org/fhir',
    tokenFile: path.join(folder, 'token'),
    batchSize: 25,
    maxAttempts: 12,
    subjectReferences: 'absolute',
    device: 'create',
    provenance: 'put',
  });
  expect(second).toMatchObject({ folder: path.join(folder, 'out'), batchSize: 500 });
  expect(third).toMatchObject({ as: 'observation', timeoutMs: 30_000 });
});

test.each([
  ['broken JSON', '{"sinks": [', 'not JSON'],
  ['no list', {}, "lacks the field 'sinks'"],
  ['an unknown field beside the list', { sinks: [], sink: [] }, "unknown field 'sink'"],
  [
    'an unknown kind',
    { sinks: [{ ...ehr, kind: 'kafka' }] },
    '/sinks/0/kind must be one of fhir-transaction, fhir-creates, ndjson',
  ],
  ['something that is no object', { sinks: [null] }, '/sinks/0/kind'],
  ['an unknown field', { sinks: [{ ...ehr, adress: 'x' }] }, "/sinks/0 has the unknown field 'adress'"],
  ['a field of another kind', { sinks: [{ ...files, url: 'https://x.example' }] }, "unknown field 'url'"],
  ['no URL', { sinks: [{ name: 'ehr', kind: 'fhir-creates' }] }, "/sinks/0 lacks the field 'url'"],
  ['a password in the URL', { sinks: [{ ...ehr, url: 'https://me:secret@ehr.example.org/fhir' }] }, '/sinks/0/url'],
  ['a URL with a query', { sinks: [{ ...ehr, url: 'https://ehr.example.org/fhir?x=1' }] }, '/sinks/0/url'],
  ['a name with blanks', { sinks: [{ ...ehr, name: 'my ehr' }] }, '/sinks/0/name must be 1 to 40'],
  ['two of one name', { sinks: [ehr, { ...files, name: 'ehr' }] }, "/sinks/1/name 'ehr' is used twice"],
  ['http to another machine', { sinks: [{ ...ehr, url: 'http://ehr.example.org/fhir' }] }, '"allowPlainHttp": true'],
  [
    'a token over http to another machine, whatever is allowed',
    { sinks: [{ ...ehr, url: 'http://ehr.example.org/fhir', allowPlainHttp: true, tokenFile: 'token' }] },
    '/sinks/0/url sends the token of tokenFile over http to another machine',
  ],
  ['another form of result', { sinks: [{ ...ehr, kind: 'fhir-creates', as: 'report' }] }, '/sinks/0/as'],
  ['a number out of bounds', { sinks: [{ ...ehr, maxAttempts: 0 }] }, '/sinks/0/maxAttempts must be >= 1'],
  [
    'a first pause beyond the longest',
    { sinks: [{ ...ehr, firstRetryMs: 9_000, maxRetryMs: 100 }] },
    '/sinks/0/firstRetryMs',
  ],
])('%s is refused with the place and a way out', async (_, content, says) => {
  const message = await refusal(content);
  expect(message).toContain(says);
  expect(message).not.toContain('secret');
});

test('AIR-1: a PACS is one where it says that it takes reports, and which objects', async () => {
  const pacs = { kind: 'dicomweb', name: 'pacs', server: 'pacs', reports: true, objects: ['structured-report'] };
  await writeFile(file, JSON.stringify({ sinks: [pacs] }));
  expect(await readSinks(file)).toMatchObject([{ ...pacs, maxAttempts: 12, batchSize: 10 }]);
  const { reports: _, ...silent } = pacs;
  expect(await refusal({ sinks: [silent] })).toContain("/sinks/0 lacks the field 'reports'");
  expect(await refusal({ sinks: [{ ...pacs, reports: false }] })).toContain('/sinks/0/reports has a value');
  expect(await refusal({ sinks: [{ ...pacs, objects: [] }] })).toContain('/sinks/0/objects');
  expect(await refusal({ sinks: [{ ...pacs, url: 'https://pacs.example.org' }] })).toContain("unknown field 'url'");
});

test('all faults are told at once', async () => {
  const message = await refusal({
    sinks: [
      { ...ehr, name: 'A' },
      { kind: 'ndjson', name: 'b' },
    ],
  });
  expect(message.split('\n')).toHaveLength(2);
});

test('a file that is not there is refused', async () => {
  await expect(readSinks(path.join(folder, 'none.json'))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('ENOENT'),
  });
});

test('http is allowed to this machine, and elsewhere where it is said', async () => {
  const here = { ...ehr, url: 'http://127.0.0.1:9/fhir' };
  const there = { ...ehr, name: 'hapi', url: 'http://hapi:8080/fhir', allowPlainHttp: true };
  await writeFile(file, JSON.stringify({ sinks: [here, there] }));
  expect(await readSinks(file)).toHaveLength(2);
});
