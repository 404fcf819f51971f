import type { Bundle, Resource } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import type { AskedInteraction } from '../../../src/fhir/store/call-guard.ts';
import { fhirGuard } from '../../../src/http/access/fhir-guard.ts';
import { parseScopes } from '../../../src/http/access/scopes.ts';
import { anyone } from '../../../src/http/principal.ts';

const principal = { ...anyone, fhir: { scopes: parseScopes('patient/*.rs').fhir, patient: 'a' } };
const guard = fhirGuard(principal, (resource) =>
  resource.resourceType === 'Observation' ? [resource.subject?.reference ?? ''] : [],
);
const search: AskedInteraction = {
  interaction: 'search-type',
  type: 'Observation',
  conditional: false,
  versioned: false,
  query: [['patient', 'a']],
};
const observation = (id: string, patient: string): Resource =>
  ({ resourceType: 'Observation', id, subject: { reference: `Patient/${patient}` } }) as Resource;
const page = (...resources: Resource[]): Bundle => ({
  resourceType: 'Bundle',
  type: 'searchset',
  total: resources.length,
  entry: resources.map((resource) => ({ resource })),
});

it('SM-13: a search with one foreign hit gives the others, without it and without a count of it', () => {
  const found = page(observation('one', 'a'), observation('two', 'b'), { resourceType: 'Practitioner', id: 'p' });
  const { total: _, ...rest } = page(observation('one', 'a'));
  expect(guard?.after(search, found)).toEqual(rest);
});

it('SM-13: a search that finds only what is about the patient is left as it is, and so is one that finds nothing', () => {
  for (const found of [page(observation('one', 'a')), page()]) expect(guard?.after(search, found)).toEqual(found);
});

it('SM-13: a history with a version about another patient is refused whole', () => {
  const asked: AskedInteraction = { ...search, interaction: 'history-instance', id: 'one', query: [] };
  expect(() => guard?.after(asked, page(observation('one', 'a'), observation('one', 'b')))).toThrow(
    'There is no Observation/one on this server.',
  );
});
