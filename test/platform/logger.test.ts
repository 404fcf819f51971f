import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PredictionError } from '../../src/platform/errors.ts';
import { errorForLog } from '../../src/platform/logged-error.ts';
import { captureLog } from '../support/captured-log.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

describe('the log', () => {
  test('is one JSON line per event with its time, level, context and numbers', () => {
    const { logger, lines } = captureLog();
    logger
      .with({ requestId: 'r-1' })
      .with({ tenant: 'default' })
      .event({ name: 'model.loaded', model: 'a@1', digest: 'ff', loadMs: 12 });
    expect(lines()).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        level: 'info',
        event: 'model.loaded',
        requestId: 'r-1',
        tenant: 'default',
        model: 'a@1',
        digest: 'ff',
        loadMs: 12,
      },
    ]);
  });

  test('keeps a line break of a value inside its line', () => {
    const { logger, text } = captureLog();
    logger.event({ name: 'data-dir.locked', dataDir: 'a\n{"event":"forged"}' });
    expect(text().trimEnd().split('\n')).toHaveLength(1);
  });

  test('hides what lies below its level', () => {
    const { logger, lines } = captureLog('warn');
    logger.event({ name: 'model.loaded', model: 'a@1', digest: 'ff', loadMs: 12 });
    logger.event({
      name: 'record.unreachable',
      base: 'http://a/fhir',
      error: new PredictionError('RECORD_UNREACHABLE', 'No answer.'),
    });
    logger.event({ name: 'error.unexpected', error: new Error('x') });
    expect(lines().map(({ level }) => level)).toEqual(['warn', 'error']);
  });
});

describe('an error in the log', () => {
  let opened: TestDatabase;
  beforeAll(async () => {
    opened = await openTestDatabase();
  });
  afterAll(() => opened.close());

  test('keeps code and message where the project wrote it', () => {
    const error = new PredictionError('MODEL_INVALID', 'models/a has no manifest.json.');
    expect(errorForLog(error)).toMatchObject({
      name: 'PredictionError',
      code: 'MODEL_INVALID',
      message: 'models/a has no manifest.json.',
      stack: expect.arrayContaining([expect.stringContaining('logger.test.ts')]),
    });
  });

  test('of the database keeps code, table and constraint, and nothing of the row', async () => {
    const insert = () =>
      opened.database.query(
        "insert into resources (tenant, type, id, version, last_updated, body) values ('t', 'Patient', 'Mustermann-1950-02-03', $1, now(), '{}')",
        [1],
      );
    await insert();
    const failure = await insert().catch((error) => error);
    expect(failure.detail).toContain('Mustermann-1950-02-03');
    const { logger, text, lines } = captureLog();
    logger.event({ name: 'error.unexpected', error: failure });
    logger.event({
      name: 'error.unexpected',
      error: new PredictionError('INTERNAL', 'The write failed.', { cause: failure }),
    });
    expect(text()).not.toMatch(/Mustermann|1950/);
    expect(lines()[0]?.error).toMatchObject({ code: '23505', table: 'resources', constraint: 'resources_pkey' });
    expect(lines()[1]?.error).toMatchObject({ code: 'INTERNAL', cause: { code: '23505' } });
  });

  test('of the database that quotes a value in its message does not bring it to the log', async () => {
    const failure = await opened.database.query('select $1::integer', ['Mustermann']).catch((error) => error);
    expect(failure.message).toContain('Mustermann');
    expect(JSON.stringify(errorForLog(failure))).not.toContain('Mustermann');
  });

  test.each([
    ['of JSON that quotes its text', () => JSON.parse('{"family": Mustermann}')],
    [
      'whose message has several lines',
      () => {
        throw new Error('first Mustermann\n    at Mustermann (Mustermann)\nMustermann');
      },
    ],
    [
      'whose code is a sentence',
      () => {
        throw Object.assign(new Error('x'), { code: 'Max Mustermann' });
      },
    ],
    [
      'whose message was changed after it was made',
      () => {
        const error = new Error('about Mustermann');
        error.message = 'other';
        throw error;
      },
    ],
    [
      'that is no error',
      () => {
        throw 'Mustermann';
      },
    ],
  ])('%s keeps its frames only', (_, fail) => {
    let caught: unknown;
    try {
      fail();
    } catch (error) {
      caught = error;
    }
    expect(JSON.stringify(errorForLog(caught))).not.toContain('Mustermann');
  });
});
