import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PredictionError } from '../../../src/platform/errors.ts';
import { readSchedules } from '../../../src/runs/schedules/read-schedules.ts';
import type { Schedule } from '../../../src/runs/schedules/schedule.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-schedules-'));
});
afterAll(() => rm(folder, { recursive: true }));

const nightly = {
  name: 'nightly',
  cron: '30 2 * * *',
  timeZone: 'Europe/Berlin',
  model: 'prevent-base',
  cohort: { all: true },
  missed: 'once',
};
const checks = {
  checkModel: (id: string) => {
    if (id !== 'prevent-base')
      throw new PredictionError('MODEL_UNKNOWN', `There is no model ${id}. Served: prevent-base.`);
  },
  checkFit: ({ model, cohort }: Schedule) => {
    if (model === 'prevent-base' && 'search' in cohort && cohort.search.startsWith('ImagingStudy'))
      throw new PredictionError('PARAMETER_INVALID', 'prevent-base makes no reports on imaging studies.');
  },
  checkSearch: async (cohort: object) => {
    if ('search' in cohort && String(cohort.search).includes('colour'))
      throw new PredictionError('PARAMETER_INVALID', "Patient has no search parameter 'colour'.");
  },
};

async function read(content: unknown) {
  const file = path.join(folder, 'schedules.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return await readSchedules(file, checks);
}

describe('SCHEDULES_FILE', () => {
  it('may be absent: there are no schedules then', async () => {
    expect(await readSchedules(undefined, checks)).toEqual([]);
  });

  it('declares schedules', async () => {
    const group = { ...nightly, name: 'group', cohort: { group: 'Group/g1' }, missed: 'skip', writeBack: false };
    expect(await read({ schedules: [nightly, group] })).toEqual([nightly, group]);
  });

  it.each([
    ['that cannot be parsed', '{"schedules": [', 'is not JSON in UTF-8. Write {"schedules": [...]}'],
    ['that is no object', [], 'the file is []; allowed is'],
    ['without schedules', {}, 'schedules is missing; allowed is a list'],
    [
      'with a cron that cannot be parsed',
      { schedules: [{ ...nightly, cron: '61 2 * * *' }] },
      'schedules[0].cron is "61 2 * * *"',
    ],
    [
      'with a cron of seconds',
      { schedules: [{ ...nightly, cron: '0 30 2 * * *' }] },
      'schedules[0].cron is "0 30 2 * * *", and it has 6 fields; allowed are five fields',
    ],
    [
      'with a time zone that does not exist',
      { schedules: [{ ...nightly, timeZone: 'Europe/Atlantis' }] },
      'schedules[0].timeZone is "Europe/Atlantis"; allowed is an IANA time zone',
    ],
    [
      'with a model that is not served',
      { schedules: [nightly, { ...nightly, name: 'b', model: 'none' }] },
      'schedules[1].model: There is no model none. Served: prevent-base.',
    ],
    [
      'with the same name twice',
      { schedules: [nightly, nightly] },
      'schedules[1].name is "nightly", which an earlier schedule has',
    ],
    ['with an unknown property', { schedules: [{ ...nightly, timezone: 'UTC' }] }, 'schedules[0].timezone is unknown'],
    [
      'without what is missed',
      { schedules: [{ ...nightly, missed: undefined }] },
      'schedules[0].missed is missing; allowed is "skip" or "once"',
    ],
    [
      'with another word for it',
      { schedules: [{ ...nightly, missed: 'always' }] },
      'schedules[0].missed is "always"; allowed is "skip" or "once"',
    ],
    [
      'with a cohort of two forms',
      { schedules: [{ ...nightly, cohort: { all: true, group: 'Group/1' } }] },
      'schedules[0].cohort is {"all":true,"group":"Group/1"}; allowed is {"all": true}',
    ],
    [
      'with a search that is absolute',
      { schedules: [{ ...nightly, cohort: { search: 'http://x/Patient?a=b' } }] },
      'schedules[0].cohort is',
    ],
    [
      'with since for patients',
      { schedules: [{ ...nightly, cohort: { search: 'Patient?gender=female', since: 'P1D' } }] },
      'schedules[0].cohort is',
    ],
    [
      'with since that is no duration of days, weeks or hours',
      { schedules: [{ ...nightly, cohort: { search: 'ImagingStudy?modality=CR', since: 'P1M' } }] },
      '{"search": "ImagingStudy?[parameters]", "since": "P1D"}',
    ],
    [
      'with studies for a model of patients',
      { schedules: [{ ...nightly, cohort: { search: 'ImagingStudy?modality=CR', since: 'P1D' } }] },
      'schedules[0].cohort: prevent-base makes no reports on imaging studies.',
    ],
    [
      'with a search that the store refuses',
      { schedules: [{ ...nightly, cohort: { search: 'Patient?colour=red' } }] },
      "schedules[0].cohort.search: Patient has no search parameter 'colour'.",
    ],
  ])('%s is refused, saying where and what is allowed', async (_what, content, says) => {
    const refusal = await read(content).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'CONFIG_INVALID' });
    expect((refusal as Error).message).toContain(says);
    expect((refusal as Error).message).toContain('SCHEDULES_FILE');
  });

  it('that cannot be read is refused', async () => {
    await expect(readSchedules(path.join(folder, 'none.json'), checks)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('is refused with everything that is wrong at once', async () => {
    const refusal = await read({ schedules: [{ ...nightly, cron: '* *', timeZone: 'x', model: 'none' }] }).catch(
      (e) => e,
    );
    expect(refusal.issues).toHaveLength(3);
  });
});
