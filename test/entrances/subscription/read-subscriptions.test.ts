import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSubscriptions } from '../../../src/entrances/subscription/read-subscriptions.ts';
import { PredictionError } from '../../../src/platform/errors.ts';

const secret = 'a-secret-of-the-ehr-0123456789';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-subscriptions-'));
  await writeFile(path.join(folder, 'secret'), `${secret}\n`);
  await writeFile(path.join(folder, 'short'), 'short\n');
});
afterAll(() => rm(folder, { recursive: true }));

const known = {
  checkModel: (id: string) => {
    if (id !== 'chest') throw new PredictionError('MODEL_UNKNOWN', `There is no model ${id}.`);
  },
  checkSearch: (criteria: readonly (readonly [string, string])[]) => {
    if (criteria.some(([name]) => name === 'colour'))
      throw new PredictionError('PARAMETER_INVALID', 'ImagingStudy has no search parameter colour.');
  },
  readVariable: (name: string) => (name === 'NOTICE_SECRET' ? secret : undefined),
};

async function read(...subscriptions: readonly object[]) {
  const file = path.join(folder, 'subscriptions.json');
  await writeFile(file, JSON.stringify({ subscriptions }));
  return await readSubscriptions(file, known);
}

const chest = { name: 'chest', models: ['chest'], secretFile: 'secret' };

it('a subscription has defaults for what it leaves out, and its secret from a file or a variable', async () => {
  const read2 = await read(chest, {
    ...chest,
    name: 'ct',
    criteria: 'ImagingStudy?modality=CT&status=available',
    secretFile: undefined,
    secretVariable: 'NOTICE_SECRET',
    header: 'X-Secret',
  });
  expect(read2).toEqual([
    {
      name: 'chest',
      models: ['chest'],
      criteria: [],
      header: 'authorization',
      secret,
      quietPeriodMs: 120_000,
      checkEveryMs: 900_000,
      writeBack: true,
    },
    expect.objectContaining({
      criteria: [
        ['modality', 'CT'],
        ['status', 'available'],
      ],
      header: 'x-secret',
      secret,
    }),
  ]);
});

it('without a file there are none', async () => {
  expect(await readSubscriptions(undefined, known)).toEqual([]);
});

it.each([
  ['no secret', { secretFile: undefined }, /needs secretFile or secretVariable/],
  ['two secrets', { secretVariable: 'NOTICE_SECRET' }, /and not both/],
  ['a secret that is too short', { secretFile: 'short' }, /at least 16 characters/],
  ['a variable that is not set', { secretFile: undefined, secretVariable: 'OTHER' }, /at least 16 characters/],
  ['a file that is not there', { secretFile: 'none' }, /cannot be read \(ENOENT\)/],
  ['a model that is not served', { models: ['other'] }, /models: There is no model other/],
  ['a search that cannot be', { criteria: 'ImagingStudy?colour=red' }, /criteria: ImagingStudy has no search/],
  ['criteria about another type', { criteria: 'Patient?active=true' }, /criteria must match pattern/],
  ['an unknown field', { model: 'chest' }, /unknown field 'model'/],
  ['no models', { models: undefined }, /lacks the field 'models'/],
  ['a header that is none', { header: 'X Secret' }, /header must match pattern/],
])('%s stops the start, in words that quote no secret', async (_, change, says) => {
  const error = await read({ ...chest, ...change }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringMatching(says) });
  expect((error as Error).message).not.toContain(secret);
});

it('two of one name stop the start', async () => {
  await expect(read(chest, chest)).rejects.toThrow(/'chest' is used twice/);
});
