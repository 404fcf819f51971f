import { beforeAll, describe, expect, it } from 'vitest';
import { parseScopes } from '../src/http/access/scopes.ts';
import { anyone, type Principal } from '../src/http/principal.ts';
import type { LoadedVersion } from '../src/model-catalog/model-version.ts';
import type { Cohort } from '../src/runs/run.ts';
import { runAccess } from '../src/wire-data-access.ts';
import { shippedModel } from './support/shipped-model.ts';

let access: ReturnType<typeof runAccess>;
beforeAll(async () => {
  const { manifest, featureMap } = await shippedModel('chest-phantom');
  const described = { manifest, gathered: featureMap } as unknown as LoadedVersion;
  access = runAccess({ describe: () => described });
});

const withScopes = (scope: string): Principal => ({ ...anyone, fhir: { scopes: parseScopes(scope).fhir } });
const studies: Cohort = { search: 'ImagingStudy?modality=CR', since: 'P1D' };
const read = 'system/Patient.rs system/Endpoint.rs system/Group.rs system/Encounter.rs';

describe('a run over studies', () => {
  const ask =
    (scope: string, writeBack = false) =>
    () =>
      access.authorise(withScopes(scope), { model: 'chest-phantom', cohort: studies, writeBack });

  it('SM-12: is made by whoever may search for studies, and by nobody else', () => {
    expect(ask(`${read} system/ImagingStudy.rs`)).not.toThrow();
    expect(ask(`${read} system/ImagingStudy.r`)).toThrow('system/ImagingStudy.s');
    expect(ask(`${read} patient/ImagingStudy.rs`)).toThrow('system/ImagingStudy');
  });

  it('SM-12: writes reports for whoever may create reports: to create Observations is not enough', () => {
    const may = `${read} system/ImagingStudy.rs`;
    expect(ask(`${may} system/DiagnosticReport.c`, true)).not.toThrow();
    expect(ask(`${may} system/Observation.c system/RiskAssessment.c`, true)).toThrow('system/DiagnosticReport.c');
  });

  it('SM-12: has its members shown to whoever may read studies and reports, also where its cohort cannot be told', () => {
    const results = 'system/Patient.r system/RiskAssessment.r system/Observation.r';
    const list = (scope: string, cohort?: Parameters<typeof access.authoriseMembers>[1]) => () =>
      access.authoriseMembers(withScopes(scope), cohort);
    expect(list(results, { all: true })).not.toThrow();
    expect(list(results, studies)).toThrow('system/ImagingStudy.r system/DiagnosticReport.r');
    expect(list(results, { sealedWith: 'k1' })).toThrow('system/ImagingStudy.r');
    expect(list(`${results} system/ImagingStudy.r system/DiagnosticReport.r`, studies)).not.toThrow();
    expect(list('system/Patient.r')).toThrow('system/RiskAssessment.r');
  });
});
