import { patientOne } from '../patient-one.ts';
import type { Chance } from './chance.ts';

/** Stands in every body as a name: whoever finds it in a log found a leak. */
export const canary = 'Kanarienvogel';

const values = {
  gender: 'female',
  birthDate: '1966-05-01',
  systolic: 142,
  totalCholesterol: 205,
  hdlCholesterol: 51,
  bodyMassIndex: 28.4,
  creatinine: 0.9,
} as const;

/** A synthetic person whom the served model can score. */
export const person = patientOne(values).map((resource) =>
  resource.resourceType === 'Patient' ? { ...resource, name: [{ family: canary }] } : resource,
);

const uuid = '1d5c2f54-2b94-4d5e-9d47-02a3b8f0c7aa';

/** Bodies that are right for some route. */
const bodies: Readonly<Record<string, (chance: Chance) => unknown>> = {
  predict: (chance) => ({
    resourceType: 'Parameters',
    parameter: [
      { name: 'model', valueString: 'prevent-base' },
      { name: 'asOf', valueDateTime: '2026-02-02' },
      ...(chance.is(0.3) ? [{ name: 'writeBack', valueBoolean: chance.is(0.3) }] : []),
      ...(chance.is(0.3) ? [{ name: 'explain', valueBoolean: chance.is(0.5) }] : []),
      ...(chance.is(0.4) ? person.map((resource) => ({ name: 'resource', resource })) : []),
    ],
  }),
  predictInBody: () => ({
    resourceType: 'Parameters',
    parameter: [
      { name: 'model', valueString: 'prevent-base' },
      { name: 'subject', valueReference: { reference: 'Patient/1' } },
      { name: 'asOf', valueDateTime: '2026-02-02' },
    ],
  }),
  review: (chance) => ({
    resourceType: 'Parameters',
    parameter: [
      { name: 'verdict', valueCode: chance.of(['confirmed', 'rejected']) },
      { name: 'reviewer', valueReference: { reference: 'Practitioner/17' } },
      ...(chance.is(0.5) ? [{ name: 'comment', valueString: canary }] : []),
    ],
  }),
  hook: (chance) => ({
    hook: 'patient-view',
    hookInstance: uuid,
    context: { userId: 'Practitioner/17', patientId: '1' },
    ...(chance.is(0.3)
      ? {
          fhirServer: chance.of(['http://127.0.0.1:1/fhir', 'http://169.254.169.254/']),
          fhirAuthorization: {
            access_token: 'fuzzed',
            token_type: 'Bearer',
            expires_in: 300,
            scope: 'patient/*.rs',
            subject: 'x',
          },
        }
      : {}),
    ...(chance.is(0.5) ? { prefetch: { patient: person[0] } } : {}),
  }),
  feedback: () => ({
    feedback: [
      {
        card: uuid,
        outcome: 'overridden',
        overrideReason: { reason: { code: 'not-relevant', system: 'https://fhirsight.org/x' }, userComment: canary },
        outcomeTimestamp: '2026-02-02T10:00:00Z',
      },
    ],
  }),
  resource: (chance) => chance.of(person),
  bundle: (chance) => ({
    resourceType: 'Bundle',
    type: chance.of(['batch', 'transaction']),
    entry: chance.is(0.5) ? person.slice(0, 3).map(putOf) : entriesOf(chance),
  }),
  run: (chance) => ({ model: 'prevent-base', cohort: { search: 'Patient?_id=1' }, writeBack: chance.is(0.1) }),
  infer: () => ({ inputs: [{ name: 'x', shape: [1, 10], datatype: 'FP64', data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }] }),
  change: (chance) => ({ ...(chance.is(0.7) ? { version: '1.0.0' } : {}), because: 'a fuzzed reason', on: true }),
};

function putOf(resource: (typeof person)[number]): object {
  return { resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } };
}

/** Some of all that a Bundle may ask for. */
function entriesOf(chance: Chance): object[] {
  const [subject, ...others] = person;
  const read = (url: string): object => ({ request: { method: 'GET', url } });
  const choices = [
    read('Patient/1'),
    read('Patient/kept'),
    read('Patient?_id=kept'),
    read('Condition/kept-note'),
    read('Observation?patient=1&_include=Observation:patient'),
    read('Observation/sbp/_history'),
    ...(subject === undefined ? [] : [putOf(subject)]),
    { resource: chance.of(others), request: { method: 'POST', url: chance.of(others).resourceType } },
    { request: { method: 'DELETE', url: 'Observation/absent' } },
  ];
  return Array.from({ length: 1 + chance.whole(4) }, () => chance.of(choices));
}

const kinds = Object.keys(bodies);

/** What the path names, or what its route takes, or any other. */
export function validBody(path: string, route: string, chance: Chance): unknown {
  const named = person.find((one) => path.endsWith(`${one.resourceType}/${one.id}`));
  if (named !== undefined && chance.is(0.8)) return named;
  const ofType = person.filter(({ resourceType }) => path.endsWith(`/${resourceType}`));
  if (ofType.length > 0 && chance.is(0.8)) return chance.of(ofType);
  const kind = chance.is(0.1) ? chance.of(kinds) : (kindOf(route, chance) ?? chance.of(kinds));
  return bodies[kind]?.(chance);
}

function kindOf(path: string, chance: Chance): string | undefined {
  if (path.endsWith('$predict')) return path.includes('/:id/') ? 'predict' : chance.of(['predict', 'predictInBody']);
  if (path.endsWith('$review')) return 'review';
  if (path.endsWith('/feedback')) return 'feedback';
  if (path.startsWith('/cds-services')) return 'hook';
  if (path.startsWith('/v2')) return 'infer';
  if (path.startsWith('/admin')) return 'change';
  if (path.startsWith('/runs')) return 'run';
  return path === '/fhir/R4' ? 'bundle' : 'resource';
}
