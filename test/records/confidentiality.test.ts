import type { Coding, Observation } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { confidentialityLabel, confidentialityOf, strictestOf } from '../../src/records/confidentiality.ts';

const system = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

function labelled(...security: Coding[]): Observation {
  return { resourceType: 'Observation', status: 'final', code: {}, meta: { security } };
}

function strictest(...codes: string[]): string | undefined {
  const found = strictestOf(codes.map((code) => confidentialityOf(labelled({ system, code }))));
  return found && confidentialityLabel(found).code;
}

it.each([
  [['U', 'L'], 'L'],
  [['L', 'M', 'U'], 'M'],
  [['N', 'M'], 'N'],
  [['R', 'N'], 'R'],
  [['R', 'V', 'U'], 'V'],
])('of %j the strictest is %s', (codes, wanted) => {
  expect(strictest(...codes)).toBe(wanted);
  expect(strictest(...codes.toReversed())).toBe(wanted);
});

it('a label that HL7 does not know is taken for very restricted, and is told', () => {
  expect(strictest('N', 'top-secret')).toBe('V');
  expect(confidentialityOf(labelled({ system, code: 'top-secret' }))?.unknown).toEqual(['top-secret']);
  expect(confidentialityOf(labelled({ system }))?.unknown).toEqual(['']);
});

it('labels of another system say nothing of it', () => {
  const htest = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HTEST' };
  expect(confidentialityOf(labelled(htest))).toBeUndefined();
  expect(strictestOf([undefined, confidentialityOf(labelled(htest))])).toBeUndefined();
});
