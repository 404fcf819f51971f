import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/cli/evaluate/evaluate.ts';
import { parseEvaluateOptions } from '../../../src/cli/evaluate/evaluate-options.ts';
import type { EvaluationRow } from '../../../src/cli/evaluate/evaluation-row.ts';
import { fileRows } from '../../../src/cli/evaluate/file-rows.ts';
import { openTable } from '../../../src/cli/evaluate/table-file.ts';
import { readConfig } from '../../../src/platform/config.ts';
import { csvOf, type MadeRow, preventRows } from '../../support/made-matrix.ts';
import { shippedModels } from '../../support/model-folder.ts';
import { shippedModel } from '../../support/shipped-model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-evaluate-'));
});
afterAll(() => rm(folder, { recursive: true }));

const config = readConfig({ MODELS_DIR: shippedModels });
const rows = preventRows(400, 5);
let files = 0;

async function fileOf(content: string, extension = 'csv'): Promise<string> {
  files += 1;
  const file = path.join(folder, `matrix-${files}.${extension}`);
  await writeFile(file, content);
  return file;
}

async function report(file: string, model: string, ...more: string[]) {
  const args = [
    '--model',
    model,
    '--file',
    file,
    '--out',
    path.join(folder, 'unused.json'),
    '--resamples',
    '100',
    ...more,
  ];
  return await evaluate(config, await parseEvaluateOptions(args, () => 'UTC'), new AbortController().signal);
}

/** Reads all rows, as an evaluation does, and scores none. */
async function read(file: string, groups?: readonly string[]) {
  const model = await shippedModel('prevent-base');
  const [outcome] = model.manifest.outcomes;
  if (outcome === undefined) throw new Error('the model has no outcome');
  const stream = fileRows(await openTable(file, '--file'), model, outcome, { column: 'event', groups });
  const found: EvaluationRow[] = [];
  for await (const row of stream.rows) found.push(row);
  return { rows: found, notes: stream.notes };
}

const prevent = ['prevent-base', '--label', 'event', '--outcome', 'total-cvd-10y'] as const;
const changed = (at: number, change: MadeRow): MadeRow[] =>
  rows.map((row, index) => (index === at ? { ...row, ...change } : row));

describe('fhirsight evaluate on a matrix', () => {
  it('scores the x columns as they are and says how well the scores do, by sex and age too', async () => {
    const found = await report(await fileOf(csvOf(rows)), ...prevent, '--threshold', '0.1');
    expect(found.rows).toMatchObject({ read: 400, evaluated: 400, abstained: 0, failed: 0, withoutLabel: 0 });
    const { auroc } = found.measures;
    if (auroc === undefined || !('interval' in auroc)) throw new Error('there is no AUROC');
    expect(auroc.value).toBeGreaterThan(0.65);
    expect(auroc.interval.low).toBeLessThan(auroc.value);
    expect(found.subgroups.map(({ by }) => by)).toEqual(['age', 'sex']);
    const [age, sex] = found.subgroups;
    expect(age?.groups.map(({ group }) => group)).toEqual(['18 to 44', '45 to 64', '65 to 74', '75 and over']);
    expect(sex?.groups.reduce((sum, group) => sum + group.rows, 0)).toBe(400);
    expect(found.notes).toEqual([expect.stringContaining('every row was scored')]);
  });

  it('gives the same report for CSV, for Parquet and for another time, but for the name and digest of the file', async () => {
    const csv = await report(await fileOf(csvOf(rows)), ...prevent);
    const again = await report(await fileOf(csvOf(rows)), ...prevent);
    const parquet = path.join(folder, 'matrix.parquet');
    const names = Object.keys(rows[0] ?? {});
    parquetWriteFile({
      filename: parquet,
      columnData: names.map((name) => {
        const isNumber = name.startsWith('x.') || name === 'age' || name === 'event';
        return isNumber
          ? { name, type: 'DOUBLE' as const, data: rows.map((row) => Number(row[name])) }
          : { name, type: 'STRING' as const, data: rows.map((row) => row[name] ?? '') };
      }),
    });
    const { data, ...figures } = csv;
    expect(await report(parquet, ...prevent)).toMatchObject(JSON.parse(JSON.stringify(figures)));
    const { data: other, ...same } = again;
    expect(same).toEqual(figures);
    expect(other.matrix?.sha256).toBe(data.matrix?.sha256);
  });

  it('counts rows without a label, rows about which the model abstains, by reason, and rows that failed; none is scored', async () => {
    const verdicts = rows.map((row, index) => ({
      ...row,
      'total-cvd-10y.verdict': index === 1 ? 'not-eligible' : index === 2 ? '' : 'score',
      'total-cvd-10y.reasons': index === 1 ? 'age deceased' : '',
      error: index === 2 ? 'RECORD_UNREACHABLE: gone' : '',
      event: index === 3 ? '' : (row.event ?? ''),
      // What must not be looked at is no number.
      'x.0.age': index < 4 && index > 0 ? '' : (row['x.0.age'] ?? ''),
    }));
    const found = await report(await fileOf(csvOf(verdicts)), ...prevent);
    expect(found.rows).toMatchObject({
      read: 400,
      evaluated: 397,
      abstained: 1,
      failed: 1,
      withoutLabel: 1,
      reasons: { abstained: { age: 1, deceased: 1 }, failed: { RECORD_UNREACHABLE: 1 } },
    });
    expect(found.notes).toEqual([]);
  });

  it('counts rows whose label extract left out by its reason', async () => {
    const labelled = rows.map((row, index) => ({
      ...row,
      event: index < 2 ? '' : (row.event ?? ''),
      'event.reason': index === 0 ? 'not-followed-up' : '',
    }));
    const found = await read(await fileOf(csvOf(labelled)));
    expect(found.rows.slice(0, 2)).toEqual([
      { state: 'left-out', reason: 'not-followed-up' },
      { state: 'without-label' },
    ]);
    expect(found.rows.slice(2).every(({ state }) => state === 'labelled')).toBe(true);
  });

  it('says when the rows were made by another state of the model', async () => {
    const made = rows.map((row) => ({ ...row, model: 'prevent-base', digest: 'abc' }));
    const found = await read(await fileOf(csvOf(made)));
    expect(found.notes).toContainEqual(expect.stringContaining('digest abc'));
  });

  it('evaluates a measurement in its unit, and a class by its code or its number', async () => {
    const people = rows.map((row, index) => {
      const { sex = '', age = '' } = row;
      return {
        sex,
        age,
        'x.0.age': age,
        'x.1.sex': row['x.1.sex'] ?? '',
        'x.2.creatinine': `${0.6 + (index % 20) / 10}`,
      };
    });
    const measured = people.map((row, index) => ({ ...row, truth: `${30 + (index % 70)}` }));
    const egfr = await report(await fileOf(csvOf(measured)), 'ckd-epi-2021', '--label', 'truth', '--outcome', 'egfr');
    expect(Object.keys(egfr.measures)).toContain('mae');
    expect(egfr.outcome.unit).toBe('mL/min/{1.73_m2}');
    const categories = ['G1', '2', 'G3a', 'G3b', 'G4', 'G5'];
    const classed = people.map((row, index) => ({ ...row, truth: categories[index % 6] ?? '' }));
    const found = await report(
      await fileOf(csvOf(classed)),
      'ckd-epi-2021',
      '--label',
      'truth',
      '--outcome',
      'gfr-category',
    );
    expect(found.classes?.map(({ rows: of }) => of).reduce((sum, of) => sum + of, 0)).toBe(400);
    expect(found.confusion?.length).toBe(found.classes?.length);
  });
});

describe('a matrix that cannot be evaluated is refused', () => {
  const without = (name: string): MadeRow[] =>
    rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => column !== name)));

  it.each([
    [
      'without an input column',
      () => without('x.4.systolicBloodPressure'),
      'lacks 1 of the 11 columns of the input of prevent-base@1.0.0: x.4.systolicBloodPressure',
    ],
    [
      'with another input column',
      () => rows.map((row) => ({ ...row, 'x.11.height': '170' })),
      'columns that are no input of prevent-base@1.0.0: x.11.height',
    ],
    ['without the label column', () => without('event'), "has no column 'event', which --label names"],
    [
      'with a label that is neither yes nor no',
      () => changed(2, { event: '2' }),
      "line 4, column event: the label '2' is not 0 or 1",
    ],
    [
      'with a cell that is no number',
      () => changed(2, { 'x.0.age': 'old' }),
      "line 4, column x.0.age: 'old' is no number",
    ],
    ['with NaN for a model that takes none', () => changed(0, { 'x.0.age': 'NaN' }), 'line 2, column x.0.age'],
    ['made for another model', () => rows.map((row) => ({ ...row, model: 'score2' })), 'made for the model score2'],
  ])('%s', async (_, table, message) => {
    await expect(read(await fileOf(csvOf(table())))).rejects.toThrow(message);
  });

  it('with a line of another length', async () => {
    await expect(read(await fileOf(`${csvOf(rows)}1,2\r\n`))).rejects.toThrow('line 402: 2 cells under 14');
  });

  it('with a column twice', async () => {
    await expect(read(await fileOf(csvOf(rows).replace('sex,age', 'age,age')))).rejects.toThrow(
      "the column 'age' stands there twice",
    );
  });

  it('that is not there, is empty, or is no Parquet', async () => {
    await expect(read(path.join(folder, 'no.csv'))).rejects.toThrow('does not exist');
    await expect(read(await fileOf(''))).rejects.toThrow('is empty');
    await expect(read(await fileOf('no', 'parquet'))).rejects.toThrow('is no Parquet file');
  });

  it('where the model has several outcomes and none is named', async () => {
    await expect(report(await fileOf(csvOf(rows)), 'prevent-base', '--label', 'event')).rejects.toThrow(
      'has several outcomes; name one with --outcome: total-cvd-10y',
    );
  });

  it('where a group is no column', async () => {
    await expect(read(await fileOf(csvOf(rows)), ['ward'])).rejects.toThrow("has no column 'ward'");
  });
});

describe('the options of fhirsight evaluate', () => {
  const parse = (...args: string[]) => parseEvaluateOptions(args, () => 'UTC');
  const file = ['--model', 'm1', '--file', 'a.csv', '--label', 'y'];

  it.each([
    [[], 'needs --model and --out'],
    [[...file, '--out', 'report.pdf'], '--out ends with .html or .json'],
    [['--model', 'm1', '--out', 'r.json'], 'either --file or --cohort'],
    [['--model', 'm1', '--file', 'a.csv', '--out', 'r.json'], '--file needs --label'],
    [['--model', 'm1', '--file', 'a.txt', '--label', 'y', '--out', 'r.json'], '--file ends with .csv or .parquet'],
    [[...file, '--as-of', '2026-01-01', '--out', 'r.json'], '--as-of goes with --cohort'],
    [['--model', 'm1', '--cohort', 'all', '--as-of', '2026-01-01', '--out', 'r.json'], 'needs either --label-file'],
    [
      ['--model', 'm1', '--cohort', 'all', '--as-of', '2026-01-01', '--label', 'y', '--out', 'r.json'],
      'name columns of --file',
    ],
    [['--model', 'm1', '--cohort', 'all', '--label-file', 'y.csv', '--out', 'r.json'], 'evaluate needs one of --as-of'],
    [[...file, '--resamples', '5', '--out', 'r.json'], '--resamples is a whole number from 100'],
    [[...file, '--threshold', 'high', '--out', 'r.json'], "--threshold is a number, not 'high'"],
    [[...file, '--seed', '-1', '--out', 'r.json'], '--seed'],
  ])('%j are refused with the way out', async (args, message) => {
    await expect(parse(...args)).rejects.toThrow(message);
  });
});
