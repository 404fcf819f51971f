import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeError } from '../../src/http/error-response.ts';
import { errorCodes, PredictionError } from '../../src/platform/errors.ts';
import { transientCodes } from '../../src/runs/transient-codes.ts';
import { readDocument, root, tableRows } from '../support/markdown-blocks.ts';

const rows = tableRows(readDocument('docs/errors.md'));
const elsewhere = ['src/platform/errors.ts', 'src/http/error-response.ts'];
const sources = globSync('src/**/*.ts', { cwd: root })
  .filter((file) => !elsewhere.includes(file))
  .map((file) => readFileSync(path.join(root, file), 'utf8'));

describe('docs/errors.md', () => {
  test('lists every code once, in the order of the code', () => {
    expect(rows.map(([code]) => code)).toEqual([...errorCodes]);
  });

  test.each(errorCodes)('%s has the status and issue code that it says, a meaning and a way out', (code) => {
    const { status, outcome } = describeError(new PredictionError(code, 'test'), 'request-1');
    const [, documentedStatus, issueCode, meaning = '', wayOut = ''] = rows.find(([name]) => name === code) ?? [];
    expect([documentedStatus, issueCode]).toEqual([String(status), outcome.issue[0]?.code]);
    expect(meaning).toMatch(/\w.*\.$/);
    expect(wayOut).toMatch(/\w.*\.$/);
  });

  test.each(errorCodes)('%s is thrown somewhere', (code) => {
    const thrown = new RegExp(`new PredictionError\\([^;]{0,80}?'${code}'`);
    expect(sources.some((source) => thrown.test(source))).toBe(true);
  });
});

describe('docs/runs.md', () => {
  test('names the codes whose members resume tries again, all of them and no others', () => {
    const [, codes = ''] = /whose failure may have passed\s+\(([^)]*)\)/.exec(readDocument('docs/runs.md')) ?? [];
    expect([...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code)).toEqual(transientCodes);
  });
});
