import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluate, fromCohort, reportOf } from '../../src/cli/evaluate/evaluate.ts';
import { parseEvaluateOptions } from '../../src/cli/evaluate/evaluate-options.ts';
import { loadSamplePatients } from '../../src/cli/load-sample-patients.ts';
import { readConfig } from '../../src/platform/config.ts';
import { storeCohorts } from '../../src/wire-runs.ts';
import { csvOf, preventRows } from '../support/made-matrix.ts';
import { makeMatrix } from '../support/make-matrix.ts';
import { blocksOf } from '../support/markdown-blocks.ts';
import { shippedModels } from '../support/model-folder.ts';
import { scorablePatient } from '../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';

const document = 'docs/evaluation.md';
const blocks = blocksOf(document);
const asOf = '2025-03-01';
let server: StartedFhirsight;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-evaluation-'));
  server = await startFhirsight({ clock: { now: () => new Date('2026-11-23T15:30:00Z') } });
  await loadSamplePatients(server.house, { patients: 60, seed: 1, referenceDate: '2026-11-22' });
  await writeFile(path.join(folder, 'test.csv'), csvOf(preventRows(60, 2)));
  await writeFile(path.join(folder, 'cvd.json'), blocks.find(({ mark }) => mark?.name === 'declaration')?.text ?? '');
  await writeFile(path.join(folder, 'outcomes.csv'), 'subject,label\nsample-0001,1\nPatient/sample-0002,0\nnobody,0\n');
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** The options of a command, its files in the folder of this test. */
function argsOf(command: string): string[] {
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain);
  expect(words.slice(0, 3)).toEqual(['npx', 'fhirsight', 'evaluate']);
  return words.slice(3).map((word) => (/^[a-z]+\.(csv|json|html)$/.test(word) ? path.join(folder, word) : word));
}

async function reportFor(args: readonly string[]) {
  const { timeZone } = server.house.prediction;
  const options = await parseEvaluateOptions([...args, '--resamples', '100'], () => timeZone);
  const { signal } = new AbortController();
  const { rows } = options;
  if ('matrix' in rows) return await evaluate(readConfig({ MODELS_DIR: shippedModels }), options, signal);
  const extraction = {
    parts: { ...server.house.prediction, sliceSize: 8, rowTimeoutMs: 30_000 },
    cohorts: storeCohorts({ siteTimeZone: timeZone }, server.house),
    draft: () => Promise.reject(new Error('no draft is evaluated')),
  };
  return reportOf(await fromCohort(extraction, options, rows, signal), options);
}

describe(document, () => {
  test('every command works, and says of every row what became of it', async () => {
    const commands = blocks.filter(({ language }) => language === 'sh');
    expect(commands.map(({ mark }) => mark?.name)).toEqual(['file', 'cohort', 'cohort']);
    for (const { text } of commands) {
      const { rows } = await reportFor(argsOf(text));
      expect(rows.read, text).toBe(60);
      expect(rows.failed, text).toBe(0);
      expect(rows.evaluated + rows.abstained + rows.withoutLabel + rows.leftOut, text).toBe(60);
      expect(rows.evaluated, text).toBeGreaterThan(0);
    }
  });

  test('names every figure that a report has', async () => {
    const text = readFileSync(document, 'utf8');
    const { measures } = await reportFor(argsOf(blocks.find(({ mark }) => mark?.name === 'file')?.text ?? ''));
    for (const name of Object.keys(measures).filter((one) => one !== 'prevalence'))
      expect(text).toContain(`\`${name}\``);
  });
});

describe('fhirsight evaluate on a cohort', () => {
  const cohort = ['--model', 'prevent-base', '--outcome', 'total-cvd-10y', '--as-of', asOf];

  test('takes labels of a file, counts who has none, and says that labels were left over', async () => {
    const { rows, notes, data } = await reportFor([
      ...cohort,
      '--cohort',
      'all',
      '--label-file',
      path.join(folder, 'outcomes.csv'),
      '--out',
      'r.json',
    ]);
    expect(rows.evaluated).toBeLessThanOrEqual(2);
    expect(rows.withoutLabel).toBeGreaterThan(0);
    expect(notes).toEqual([expect.stringMatching(/^[1-3] labels of outcomes\.csv belong to no row/)]);
    expect(data).toMatchObject({ cohort: 'all', time: asOf, labels: { file: { name: 'outcomes.csv' } } });
  });

  test('pairs each prediction with what happened after it, and reads none of that into the inputs', async () => {
    const admission = (id: string, start: string): Resource => ({
      resourceType: 'Encounter',
      id: `${id}-stay`,
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject: { reference: `Patient/${id}` },
      period: { start },
    });
    type Written = Parameters<typeof server.house.repository.writeAll>[0];
    await server.house.repository.writeAll([
      ...scorablePatient('ill'),
      ...scorablePatient('well'),
      ...scorablePatient('vague'),
      admission('vague', '2026-03'),
    ] as Written);
    const list = path.join(folder, 'three.csv');
    await writeFile(list, 'ill\nwell\nvague\n');
    const day = '2026-03-01';
    const args = ['--model', 'prevent-base', '--outcome', 'total-cvd-10y', '--cohort', list, '--as-of', day];
    const matrix = await makeMatrix(server.house, ['--model', 'prevent-base', '--cohort', list, '--as-of', day]);
    expect(matrix.rows.every((row) => row['total-cvd-10y.verdict'] === 'score')).toBe(true);
    await server.house.repository.writeAll([admission('ill', '2026-06-01T10:00:00Z')] as Written);
    const declaration = path.join(folder, 'stay.json');
    await writeFile(
      declaration,
      JSON.stringify({
        events: [{ kind: 'encounter', classes: ['http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP'] }],
        horizon: 'P6M',
        followedUntil: { date: '2026-10-31' },
        death: 'no-event',
        eventBefore: 'ignored',
      }),
    );
    const report = await reportFor([...args, '--label-event', declaration, '--out', 'r.json']);
    expect(report.rows).toMatchObject({
      read: 3,
      evaluated: 2,
      leftOut: 1,
      reasons: { leftOut: { 'time-unknown': 1 } },
    });
    expect(report.measures.prevalence).toMatchObject({ value: 0.5 });
    expect(report.notes).toContainEqual(expect.stringContaining('The labels are about P6M after as-of'));
    expect(report.subgroups.map(({ by }) => by)).toEqual(['sex', 'age', 'race', 'ethnicity']);
    // The same rows as a matrix give the same scores, and so the same figures.
    const truths = new Map([
      ['ill', '1'],
      ['well', '0'],
    ]);
    const asFile = path.join(folder, 'same.csv');
    const labelled = matrix.rows.map((row) => {
      const cells = Object.entries(row).filter(([name]) => /^x\.|^subject$/.test(name));
      return { ...Object.fromEntries(cells), truth: truths.get(row.subject ?? '') ?? '' };
    });
    await writeFile(asFile, csvOf(labelled));
    const same = await reportFor([
      '--model',
      'prevent-base',
      '--outcome',
      'total-cvd-10y',
      '--file',
      asFile,
      '--label',
      'truth',
      '--out',
      'r.json',
    ]);
    expect(same.measures).toEqual(report.measures);
  });

  test.each([
    [
      'a declaration that is not whole',
      '{"events": [{"kind": "death"}], "horizon": "P1Y"}',
      "must have required property 'followedUntil'",
    ],
    ['a kind that there is not', '{"events": [{"kind": "fall"}]}', '"fall", which is no known kind'],
    [
      'a follow-up in the future',
      '{"events": [{"kind": "death"}], "horizon": "P1Y", "followedUntil": {"date": "2030-01-01"}, "death": "no-event", "eventBefore": "ignored"}',
      'is in the future',
    ],
  ])('refuses %s with its place', async (_, text, message) => {
    const file = path.join(folder, 'wrong.json');
    await writeFile(file, text);
    await expect(reportFor([...cohort, '--cohort', 'all', '--label-event', file, '--out', 'r.json'])).rejects.toThrow(
      message,
    );
  });

  test.each([
    ['subject,truth\nsample-0001,1\n', 'needs the columns subject and label'],
    ['subject,label\nsample-0001,1\nsample-0001,0\n', 'line 3: sample-0001 has a label already'],
    ['subject,label\nsample-0001,perhaps\n', "line 2, column label: the label 'perhaps' is not 0 or 1"],
    ['subject,as_of,label\nsample-0001,yesterday,1\n', 'line 2'],
  ])('refuses a label file that is wrong: %j', async (text, message) => {
    const file = path.join(folder, 'wrong.csv');
    await writeFile(file, text);
    await expect(reportFor([...cohort, '--cohort', 'all', '--label-file', file, '--out', 'r.json'])).rejects.toThrow(
      message,
    );
  });
});
