import { describe, expect, it } from 'vitest';
import { memberCsvHead, memberCsvLine } from '../../../src/entrances/cohort/member-csv.ts';
import type { RunMember } from '../../../src/runs/run.ts';

const member = (changes: Partial<RunMember>): RunMember => ({
  ordinal: 1,
  subject: 'p1',
  state: 'pending',
  reasons: [],
  ...changes,
});

describe('CSV of members', () => {
  it('has the columns that are documented, and every digit of a score', () => {
    expect(memberCsvHead).toBe('subject,state,score,outcome,band,reasons,result,resource,error,focus\r\n');
    const scored = {
      state: 'scored',
      outcome: 'cvd',
      score: 0.1 + 0.2,
      band: 'high',
      result: 'r',
      resource: 'RiskAssessment/7',
    } as const;
    expect(memberCsvLine(member(scored))).toBe('p1,scored,0.30000000000000004,cvd,high,,r,RiskAssessment/7,,\r\n');
    expect(memberCsvLine(member({ focus: 'ImagingStudy/9' }))).toBe('p1,pending,,,,,,,,ImagingStudy/9\r\n');
    expect(memberCsvLine(member({ state: 'abstained', reasons: ['a:b', 'c'] }))).toBe('p1,abstained,,,,a:b c,,,,\r\n');
  });

  it.each(['=1+1', '+1', '-1', '@x', '\tx', '\rx'])('never gives a spreadsheet a formula: %j', (subject) => {
    const [first = ''] = memberCsvLine(member({ subject })).split(',');
    expect(first.replace(/^"/, '').startsWith("'")).toBe(true);
  });

  it('quotes what would break a line', () => {
    const error = { code: 'X', message: 'one, "two"\nthree' };
    expect(memberCsvLine(member({ state: 'failed', error }))).toBe('p1,failed,,,,,,,"X: one, ""two""\nthree",\r\n');
  });
});
