import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FhirTestServer, send, startFhirTestServer } from '../support/fhir-test-server.ts';

let server: FhirTestServer;
beforeAll(async () => {
  server = await startFhirTestServer();
});
afterAll(() => server.close());

const condition = (reference: string, extra: object = {}) => ({
  resourceType: 'Condition',
  subject: { reference },
  ...extra,
});
const conditionsOf = async (patient: string) =>
  (await send(`${server.base}/Condition?patient=${patient}&_total=accurate`)).body.total;

describe('a reference to this server, spelled in another way', () => {
  test.each([
    ['localhost', (base: string) => base.replace('127.0.0.1', 'localhost')],
    ['upper case', (base: string) => base.replace('http:', 'HTTP:')],
    ['the IPv6 loopback', (base: string) => base.replace('127.0.0.1', '[::1]')],
    ['a version', (base: string) => base],
  ])('does not hide a disease from the record of its patient: %s', async (name, spelled) => {
    const id = name.replaceAll(' ', '-');
    const version = name === 'a version' ? '/_history/1' : '';
    const reference = `${spelled(server.base)}/Patient/${id}${version}`;
    const made = await send(`${server.base}/Condition`, 'POST', condition(reference));
    expect([made.status, made.body.subject.reference]).toEqual([201, `Patient/${id}${version}`]);
    expect(await conditionsOf(id)).toBe(1);
    expect(await conditionsOf(encodeURIComponent(`${spelled(server.base)}/Patient/${id}`))).toBe(1);
  });

  test('is relative everywhere but in a stored Bundle, and other links stay as they are', async () => {
    const absolute = `${server.base}/Patient/x`;
    const made = await send(`${server.base}/Observation`, 'POST', {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'weight', coding: [{ system: absolute, code: '1' }] },
      subject: { reference: absolute },
      performer: [{ reference: 'https://other.example.org/fhir/Practitioner/1' }],
      extension: [{ url: absolute, valueReference: { reference: `${server.base}/Device/1` } }],
    });
    expect(made.body).toMatchObject({
      code: { coding: [{ system: absolute }] },
      subject: { reference: 'Patient/x' },
      performer: [{ reference: 'https://other.example.org/fhir/Practitioner/1' }],
      extension: [{ url: absolute, valueReference: { reference: 'Device/1' } }],
    });
    const bundle = await send(`${server.base}/Bundle`, 'POST', {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [{ fullUrl: 'urn:uuid:1', resource: condition(absolute) }],
    });
    expect(bundle.body.entry[0].resource.subject.reference).toBe(absolute);
  });

  test('is that to another server where port or path differ', async () => {
    const other = `${server.base.replace('127.0.0.1', 'localhost').replace('/R4', '/R5')}/Patient/elsewhere`;
    const made = await send(`${server.base}/Condition`, 'POST', condition(other));
    expect(made.body.subject.reference).toBe(other);
    expect(await conditionsOf('elsewhere')).toBe(0);
  });
});

describe('a resource that predictions read', () => {
  const named = {
    Condition: (subject: object) => ({ resourceType: 'Condition', subject }),
    Observation: (subject: object) => ({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject }),
    Encounter: (subject: object) => ({
      resourceType: 'Encounter',
      status: 'finished',
      class: { code: 'AMB' },
      subject,
    }),
    MedicationRequest: (subject: object) => ({
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      medicationCodeableConcept: { text: 'statin' },
      subject,
    }),
    Consent: (patient: object) => ({
      resourceType: 'Consent',
      status: 'active',
      scope: { text: 'research' },
      category: [{ text: 'x' }],
      policyRule: { text: 'x' },
      patient,
    }),
  };

  test.each(Object.entries(named))('is refused where nobody would find it for its patient: %s', async (type, make) => {
    const element = type === 'Consent' ? 'patient' : 'subject';
    for (const subject of [
      { identifier: { system: 'urn:mrn', value: '1' } },
      { display: 'somebody' },
      { reference: '#p' },
      { reference: `${server.base}/Patient/17/` },
      { reference: `${server.base}/Patient?identifier=1` },
    ]) {
      const made = await send(`${server.base}/${type}`, 'POST', {
        ...make(subject),
        contained: [{ resourceType: 'Patient', id: 'p' }],
      });
      expect([made.status, made.body.issue?.[0].expression], JSON.stringify(subject)).toEqual([
        400,
        [`${type}.${element}`],
      ]);
      const put = await send(`${server.base}/${type}/hidden`, 'PUT', { ...make(subject), id: 'hidden' });
      expect(put.status).toBe(400);
    }
    for (const reference of ['Patient/1', 'urn:uuid:1', 'https://other.example.org/fhir/Patient/1']) {
      expect((await send(`${server.base}/${type}`, 'POST', make({ reference }))).status).toBe(201);
    }
  });

  test('is refused in a transaction too, naming the element of its entry', async () => {
    const answer = await send(server.base, 'POST', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [{ resource: named.Condition({ display: 'x' }), request: { method: 'POST', url: 'Condition' } }],
    });
    expect([answer.status, answer.body.issue[0].expression]).toEqual([400, ['Bundle.entry[0].resource.subject']]);
  });
});
