import assert from 'node:assert/strict';
import type { OperationOutcome, Parameters } from '@medplum/fhirtypes';
import type { Answer, CallOptions, Site } from './site.ts';

/** The Parameters of `$predict` with the whole record of the driver's patient: nothing has to lie at the server. */
export function parametersOf(site: Site, more: NonNullable<Parameters['parameter']> = []): Parameters {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'model', valueString: site.model },
      { name: 'subject', valueString: `Patient/${site.patient}` },
      { name: 'useServerData', valueBoolean: false },
      ...site.record.map((resource) => ({ name: 'resource', resource })),
      ...more,
    ],
  };
}

/** The same at instance level, and the record that lies in the store. */
export function storedParametersOf(site: Site, more: NonNullable<Parameters['parameter']> = []): Parameters {
  return { resourceType: 'Parameters', parameter: [{ name: 'model', valueString: site.model }, ...more] };
}

/** `$predict` with a record of its own. */
export function predicted(site: Site, options: CallOptions = {}, path = 'Patient/$predict'): Promise<Answer> {
  return site.call(path, { method: 'POST', body: parametersOf(site), ...options });
}

/** The issue codes of an answer that is an OperationOutcome; fails where it is none. */
export function issueCodes({ json, status, text }: Answer): string[] {
  const outcome = json as OperationOutcome | undefined;
  assert.equal(outcome?.resourceType, 'OperationOutcome', `${status}: ${text.slice(0, 300)}`);
  assert.ok(outcome.issue.length > 0, 'an OperationOutcome has an issue');
  for (const { severity, code } of outcome.issue) assert.ok(severity && code);
  return outcome.issue.map(({ code }) => code ?? '');
}
