import { describe, expect, test } from 'vitest';
import { patientGroupings, patientGroups } from '../../../src/cli/evaluate/patient-groups.ts';

const asOf = new Date('2025-05-20T12:00:00Z');

function ageBandOf(birthDate: string, timeZone = 'UTC'): string | undefined {
  return patientGroups({ resourceType: 'Patient', birthDate }, asOf, timeZone)[patientGroupings.indexOf('age')];
}

describe('the age band of a patient', () => {
  test.each([
    ['1980-05-20', '45 to 64'],
    ['1980-05-21', '18 to 44'],
    ['1980-04', '45 to 64'],
    ['1980-06', '18 to 44'],
    ['1970', '45 to 64'],
  ])('born %s is %s', (birthDate, band) => {
    expect(ageBandOf(birthDate)).toBe(band);
  });

  test('is not guessed where the birthday may be before or after as-of: a month whose later days are younger, or a year', () => {
    expect(ageBandOf('1980-05')).toBeUndefined();
    expect(ageBandOf('1980')).toBeUndefined();
  });

  test('is told by the day of the site', () => {
    const late = new Date('2025-05-20T03:00:00Z');
    const band = (zone: string) => patientGroups({ resourceType: 'Patient', birthDate: '1980-05-20' }, late, zone)[1];
    expect([band('UTC'), band('America/New_York')]).toEqual(['45 to 64', '18 to 44']);
  });
});
