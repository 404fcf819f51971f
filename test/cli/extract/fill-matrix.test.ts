import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Encounter, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matrixColumns } from '../../../src/cli/extract/matrix-columns.ts';
import { compileFeatureMap } from '../../../src/features/compile-feature-map.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { type MatrixRow, makeMatrix } from '../../support/make-matrix.ts';
import { copyModel } from '../../support/model-folder.ts';
import { laboratoryResult, privateDetails, scorablePatient } from '../../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../../support/start-fhirsight.ts';

const now = '2026-06-01T12:00:00Z';
const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-fill-'));
let server: StartedFhirsight;

function stay(patient: string, name: string, parts: Partial<Encounter>): Encounter {
  return {
    resourceType: 'Encounter',
    id: `${patient}-${name}`,
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
    subject: { reference: `Patient/${patient}` },
    ...parts,
  };
}

beforeAll(async () => {
  server = await startFhirsight({ clock: { now: () => new Date(now) } });
  const group: Resource = {
    resourceType: 'Group',
    id: 'some',
    type: 'person',
    actual: true,
    member: ['b', 'a', 'b'].map((id) => ({ entity: { reference: `Patient/${id}` } })),
  };
  await server.house.repository.writeAll([
    ...scorablePatient('a'),
    laboratoryResult('a', 'later', '2093-3', 199, 'mg/dL', '2026-05-01T08:00:00Z'),
    stay('a', 'stay', { period: { start: '2026-04-30T10:00:00Z', end: '2026-05-02T09:00:00+02:00' } }),
    stay('a', 'vague', { period: { start: '2026-03-01' } }),
    stay('a', 'now', { status: 'in-progress', period: { start: '2026-05-20T07:00:00Z' } }),
    stay('a', 'void', { status: 'cancelled', period: { start: '2026-05-21T07:00:00Z' } }),
    ...scorablePatient('b'),
    ...scorablePatient('c', { birthDate: '2010-01-01' }),
    group,
  ] as Parameters<typeof server.house.repository.writeAll>[0]);
}, 60_000);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const model = ['--model', 'prevent-base@1.0.0'];

function listOf(text: string): string[] {
  const file = path.join(folder, 'list.csv');
  writeFileSync(file, text);
  return ['--cohort', file];
}

const pick = (rows: readonly MatrixRow[], ...names: string[]) => rows.map((row) => names.map((name) => row[name]));

describe('a matrix with labels', () => {
  const declared = {
    events: [{ kind: 'observation', codes: ['http://loinc.org|2093-3'] }],
    horizon: 'P6M',
    followedUntil: { date: '2026-05-31' },
    death: 'left-out',
    eventBefore: 'ignored',
  };
  const labelled = (declaration: object, asOf: string): string[] => {
    const file = path.join(folder, 'label.json');
    writeFileSync(file, JSON.stringify(declaration));
    return [...model, '--cohort', 'all', '--as-of', asOf, '--label-event', file];
  };

  it('says of each row what happened after its as-of, or why that is not known, and the inputs know nothing of it', async () => {
    const early = await makeMatrix(server.house, labelled(declared, '2026-02-01'));
    expect(pick(early.rows, 'subject', 'label', 'label.reason')).toEqual([
      ['a', '1', ''],
      ['b', '', 'not-followed-up'],
      ['c', '', 'not-followed-up'],
    ]);
    expect(early.tally.text()).toContain('label not-followed-up: 2\n  label 1: 1');
    const plain = await makeMatrix(server.house, [...model, '--cohort', 'all', '--as-of', '2026-02-01']);
    expect(early.rows.map(({ label: _, 'label.reason': _reason, ...cells }) => cells)).toEqual(plain.rows);

    const soon = await makeMatrix(server.house, labelled({ ...declared, horizon: 'P1M' }, '2026-02-01'));
    expect(pick(soon.rows, 'label')).toEqual([['0'], ['0'], ['0']]);
  });

  it('is refused for a declaration that leaves a choice open, or looks into the future', async () => {
    const { death: _, ...open } = declared;
    await expect(makeMatrix(server.house, labelled(open, '2026-02-01'))).rejects.toThrow(
      /must have required property 'death'/,
    );
    const future = { ...declared, followedUntil: { date: '2027-01-01' } };
    await expect(makeMatrix(server.house, labelled(future, '2026-02-01'))).rejects.toThrow(/in the future/);
  });
});

describe('the matrix of a draft', () => {
  const when = ['--cohort', 'all', '--as-of', '2026-02-01'];

  it('needs neither artefact nor card nor golden cases nor checksums, and is the one that the finished model gives', async () => {
    await using draft = await copyModel('prevent-base');
    for (const file of ['model.onnx', 'model-card.json', 'golden']) await draft.remove(file);
    await draft.edit('manifest.json', (manifest) => {
      manifest.checksums = {};
    });
    const { rows } = await makeMatrix(server.house, ['--draft', draft.dir, ...when]);
    const finished = await makeMatrix(server.house, [...model, ...when]);
    const withoutDigest = (of: readonly MatrixRow[]) => of.map(({ digest: _, ...cells }) => cells);
    expect(rows[0]?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(rows[0]?.digest).not.toBe(finished.rows[0]?.digest);
    expect(withoutDigest(rows)).toEqual(withoutDigest(finished.rows));
  });

  it('is refused with what is wrong with manifest and map, and with nothing that only a seal says', async () => {
    await using draft = await copyModel('prevent-base');
    await draft.edit('manifest.json', (manifest) => {
      manifest.checksums = {};
      manifest.tensors.input.columns.push({ feature: 'shoeSize' });
    });
    const refused = makeMatrix(server.house, ['--draft', draft.dir, ...when]);
    await expect(refused).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      message: expect.stringContaining('is shoeSize, which feature-map.json does not define'),
    });
    await expect(refused).rejects.not.toThrow(/checksum|golden/);
    await draft.remove('feature-map.json');
    await expect(makeMatrix(server.house, ['--draft', draft.dir, ...when])).rejects.toThrow(
      'feature-map.json: is missing',
    );
  });
});

describe('a training matrix', () => {
  it('has for each subject what a prediction at that as-of reads, with reasons, sources and the row of the model', async () => {
    const { rows, tally } = await makeMatrix(server.house, [...model, '--cohort', 'all', '--as-of', '2026-02-01']);
    expect(pick(rows, 'subject', 'as_of', 'model', 'version', 'error')).toEqual(
      ['a', 'b', 'c'].map((id) => [id, '2026-02-01T23:59:59.999Z', 'prevent-base', '1.0.0', '']),
    );
    const [a, , c] = rows;
    expect(a).toMatchObject({
      encounter: '',
      totalCholesterol: '213.456',
      'totalCholesterol.state': 'observed',
      'totalCholesterol.reason': '',
      'totalCholesterol.at': '2026-01-10T08:30:00Z',
      'totalCholesterol.source': 'Observation/a-cholesterol/_history/1',
      diabetes: 'false',
      'diabetes.state': 'assumed-absent',
      'total-cvd-10y.verdict': 'score',
      'total-cvd-10y.reasons': '',
      'x.2.totalCholesterol': '213.456',
      'x.7.diabetes': '0',
      guessed: '0',
    });
    expect(a?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(c).toMatchObject({
      'total-cvd-10y.verdict': 'not-eligible',
      'total-cvd-10y.reasons': 'age',
      'x.2.totalCholesterol': '',
      totalCholesterol: '213.456',
    });
    expect(tally.text()).toBe(
      '3 rows: 2 that the model may score, 1 abstained, 0 failed\n  abstained age: 1\n0 cells of 0 rows rest on a guess\n',
    );
  });

  it('says the same in Parquet', async () => {
    const args = [...model, '--cohort', 'all', '--as-of', '2026-02-01'];
    const { rows } = await makeMatrix(server.house, args);
    const { objects } = await makeMatrix(server.house, args, 'parquet');
    const asText = (value: unknown) =>
      value === undefined || value === null ? '' : value instanceof Date ? value.toISOString() : String(value);
    expect(
      objects.map((object) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, asText(value)]))),
    ).toEqual(rows);
  });

  it('holds no name, no birth date and no identifier', async () => {
    const { rows } = await makeMatrix(server.house, [...model, '--cohort', 'all', '--as-of', '2026-02-01']);
    const text = JSON.stringify(rows);
    for (const secret of [privateDetails.family, privateDetails.given, privateDetails.birthDate, 'MRN-'])
      expect(text).not.toContain(secret);
  });

  it('never shows a row what came after its as-of, though another row of the same subject has it', async () => {
    const list = listOf('subject,as_of\na,2026-05-02T00:00:00Z\na,2026-04-30T00:00:00Z\na,2026-05-02T00:00:00Z\n');
    const { rows } = await makeMatrix(server.house, [...model, ...list]);
    expect(pick(rows, 'as_of', 'totalCholesterol')).toEqual([
      ['2026-05-02T00:00:00.000Z', '199'],
      ['2026-04-30T00:00:00.000Z', '213.456'],
      ['2026-05-02T00:00:00.000Z', '199'],
    ]);
  });

  it('has the members of a Group once each, in its order', async () => {
    const { rows } = await makeMatrix(server.house, [...model, '--cohort', 'Group/some', '--as-of', '2026-02-01']);
    expect(pick(rows, 'subject')).toEqual([['b'], ['a']]);
  });

  it('has whom a search finds', async () => {
    const args = [...model, '--cohort', 'Patient?birthdate=gt2000-01-01', '--as-of', '2026-02-01'];
    expect(pick((await makeMatrix(server.house, args)).rows, 'subject')).toEqual([['c']]);
  });
});

describe('a row for each encounter', () => {
  const anchored = (anchor: string, ...more: string[]) =>
    makeMatrix(server.house, [...model, ...listOf('a\n'), '--anchor', anchor, ...more]);

  it('at its beginning sees nothing that the encounter brought', async () => {
    const { rows } = await anchored('encounter-start', '--class', 'IMP');
    expect(pick(rows, 'encounter', 'as_of', 'totalCholesterol', 'error')).toEqual([
      ['a-vague', '', '', 'PARAMETER_INVALID: Encounter/a-vague does not say at what time it began.'],
      ['a-stay', '2026-04-30T10:00:00.000Z', '213.456', ''],
      ['a-now', '2026-05-20T07:00:00.000Z', '199', ''],
    ]);
  });

  it('at its end sees it, and leaves out what has not ended', async () => {
    const { rows, tally } = await anchored('encounter-end');
    expect(pick(rows, 'encounter', 'as_of', 'totalCholesterol')).toEqual([
      ['a-vague', '', ''],
      ['a-visit', '2026-01-10T09:00:00.000Z', '213.456'],
      ['a-stay', '2026-05-02T07:00:00.000Z', '199'],
    ]);
    expect(tally.failed).toBe(1);
  });

  it('is a failed row where its class is of a system that was not asked for: it may belong here', async () => {
    const { rows } = await anchored('encounter-start', '--class', 'urn:local|inpatient');
    expect(rows).toHaveLength(4);
    expect(rows.every(({ error }) => error?.includes('has a class of a system that --class does not name'))).toBe(true);
  });

  it('of somebody who is not there is a failed row', async () => {
    const { rows } = await makeMatrix(server.house, [...model, ...listOf('nobody\n'), '--anchor', 'encounter-start']);
    expect(pick(rows, 'subject', 'error')).toEqual([['nobody', 'SUBJECT_UNKNOWN: There is no Patient/nobody.']]);
  });
});

describe('a row that cannot be made', () => {
  it('says why, and the others are made', async () => {
    const list = listOf(
      'subject,as_of,encounter\nnobody,2026-02-01,\na,2027-01-01,\na,2026-02-01,b-visit\na,2026-02-01,a-visit\nb,2026-02-01,\n',
    );
    const { rows, tally } = await makeMatrix(server.house, [...model, ...list]);
    expect(pick(rows, 'subject', 'encounter').map((row, index) => [...row, rows[index]?.error?.split(':')[0]])).toEqual(
      [
        ['nobody', '', 'SUBJECT_UNKNOWN'],
        ['a', '', 'AS_OF_IN_FUTURE'],
        ['a', 'b-visit', 'SUBJECT_FOREIGN'],
        ['a', 'a-visit', ''],
        ['b', '', ''],
      ],
    );
    expect(rows[0]).toMatchObject({ totalCholesterol: '', 'totalCholesterol.state': '', guessed: '' });
    expect(tally.failed).toBe(3);
    expect(tally.text()).toContain('failed SUBJECT_UNKNOWN: 1');
  });

  it('because its record is unreachable does not stop those that were to be read with it', async () => {
    const { source } = server.house.prediction;
    const unreachable = new PredictionError('RECORD_UNREACHABLE', 'It does not answer.');
    const { rows } = await makeMatrix(server.house, [...model, '--cohort', 'all', '--as-of', '2026-02-01'], 'csv', {
      source: {
        ...source,
        readMany: async (wanted, signal) => {
          if (wanted.subjects.includes('b')) throw unreachable;
          if (source.readMany === undefined) throw new Error('the own store reads many at once');
          return await source.readMany(wanted, signal);
        },
      },
    });
    expect(pick(rows, 'subject', 'error', 'totalCholesterol')).toEqual([
      ['a', '', '213.456'],
      ['b', 'RECORD_UNREACHABLE: It does not answer.', ''],
      ['c', '', '213.456'],
    ]);
  });

  it('because of a bug says so without quoting the record, and the log has the bug', async () => {
    const events: unknown[] = [];
    const { rows } = await makeMatrix(server.house, [...model, ...listOf('a\n'), '--as-of', '2026-02-01'], 'csv', {
      source: {
        ...server.house.prediction.source,
        readMany: async () => {
          throw new TypeError(`cannot read ${privateDetails.family}`);
        },
      },
      event: (event) => events.push(event),
    });
    expect(rows[0]?.error).toBe('INTERNAL: The server failed on this member; the log says more.');
    expect(events).toMatchObject([{ name: 'error.unexpected', error: { message: expect.any(String) } }]);
  });

  it('because the database is gone makes no matrix at all', async () => {
    const gone = new PredictionError('DATABASE_UNAVAILABLE', 'It is gone.');
    const source = {
      ...server.house.prediction.source,
      readMany: async () => {
        throw gone;
      },
    };
    const args = [...model, '--cohort', 'all', '--as-of', '2026-02-01'];
    await expect(makeMatrix(server.house, args, 'csv', { source })).rejects.toBe(gone);
  });
});

describe('what is under way', () => {
  it('is two slices of rows at most, however many rows there are', async () => {
    const { source } = server.house.prediction;
    let underWay = 0;
    let most = 0;
    const list = listOf(
      `subject,as_of\n${Array.from({ length: 60 }, (_, index) => `a,2026-02-01T00:00:${String(index).padStart(2, '0')}Z`).join('\n')}\n`,
    );
    const { rows } = await makeMatrix(server.house, [...model, ...list], 'csv', {
      sliceSize: 4,
      source: {
        ...source,
        readMany: async (wanted, signal) => {
          underWay += 1;
          most = Math.max(most, underWay);
          try {
            if (source.readMany === undefined) throw new Error('the own store reads many at once');
            return await source.readMany(wanted, signal);
          } finally {
            underWay -= 1;
          }
        },
      },
    });
    expect(rows).toHaveLength(60);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });
});

describe('the columns of a matrix', () => {
  it('are refused where a feature would have the name of another column', () => {
    const found = server.house.prediction.findModel('prevent-base');
    const compiled = compileFeatureMap({
      language: 1,
      features: { subject: { kind: 'demographics', label: 'age', element: 'age' } },
      population: { exclude: [], require: [], ranges: [] },
    });
    expect(() => matrixColumns({ ...found, compiled })).toThrow(/has a feature named subject/);
  });

  it('are each there once', () => {
    const names = matrixColumns(server.house.prediction.findModel('prevent-base')).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('are of a model that is served', async () => {
    await expect(
      makeMatrix(server.house, ['--model', 'none', '--cohort', 'all', '--as-of', '2026-02-01']),
    ).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  });
});
