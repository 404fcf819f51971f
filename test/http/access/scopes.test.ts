import { describe, expect, it } from 'vitest';
import { parseScopes } from '../../../src/http/access/scopes.ts';

const granted = (claim: string): string[] =>
  parseScopes(claim).fhir.map(({ context, type, interactions }) => `${context}/${type}.${[...interactions].join('')}`);

describe('scopes', () => {
  it.each(['system/Patient.r', 'user/*.rs', 'patient/Observation.cruds', 'system/RiskAssessment.cu'])(
    'SM-10: reads %s by the grammar of version 2',
    (scope) => {
      expect(granted(scope)).toEqual([scope]);
    },
  );

  it.each([
    ['system/Patient.read', 'system/Patient.rs'],
    ['user/*.write', 'user/*.cud'],
    ['patient/*.*', 'patient/*.cruds'],
  ])('SM-11: reads %s of version 1 as %s', (scope, meant) => {
    expect(granted(scope)).toEqual([meant]);
  });

  it.each([
    'system/Patient.dus',
    'system/Patient.sr',
    'system/Patient.rr',
    'system/Patient.',
    'system/Patient',
    'system/Patient.rx',
    'system/Patient.reads',
    'system/Patient.R',
    'system/patient.r',
    'system/Pat.r',
    'system/Patients.r',
    'system/**.r',
    '*/*.read',
    '*/Patient.r',
    'System/Patient.r',
    'admin/Patient.r',
    'xsystem/Patient.r',
    'system/Patient.r,system/Observation.r',
    'system/Patient.r\nsystem/Observation.r',
    'system/Patient.r\n',
    'system/__proto__.r',
    'system/Patient.constructor',
    'system/toString.r',
    'launch/patient',
    'openid',
    'patient',
    '',
  ])('SM-10: %j grants nothing', (scope) => {
    expect(granted(scope)).toEqual([]);
  });

  it.each(['system/Observation.rs?category=laboratory', 'patient/Observation.r?', 'user/*.rs?_id=1'])(
    'SM-13: does not grant %s, whose search parameters it would have to filter by',
    (scope) => {
      expect(granted(scope)).toEqual([]);
    },
  );

  it('reads those of this server apart, by their whole names', () => {
    const { own, fhir } = parseScopes(
      'fhirsight/models.manage fhirsight/*.* xfhirsight/runs.manage fhirsight/runs system/Patient.r',
    );
    expect([...own]).toEqual(['models.manage']);
    expect(fhir).toHaveLength(1);
  });

  it('grants nothing of a claim too long to be one', () => {
    expect(granted('system/Patient.r '.repeat(2_000))).toEqual([]);
  });
});
