import { describe, expect, test } from 'vitest';
import { contextReader } from '../../../src/entrances/cds-hooks/context-reader.ts';
import { hookFoci } from '../../../src/entrances/cds-hooks/hook-focus.ts';
import type { HookService } from '../../../src/entrances/cds-hooks/hook-service.ts';
import { type HookName, hookVersions } from '../../../src/model-catalog/hook-library.ts';
import { PredictionError } from '../../../src/platform/errors.ts';

const user = { userId: 'Practitioner/example', patientId: '17' };
const order = (change: Record<string, unknown> = {}) => ({
  resourceType: 'ServiceRequest',
  status: 'draft',
  intent: 'order',
  subject: { reference: 'Patient/17' },
  ...change,
});
const drug = { ...order(), resourceType: 'MedicationRequest', id: 'm1' };
const bundle = (...resources: unknown[]) => ({
  resourceType: 'Bundle',
  entry: resources.map((resource) => ({ resource })),
});

/** What a service predicts about. @param types those that its manifest names; absent: none */
async function foci(hook: HookName, context: Record<string, unknown>, types?: readonly string[]) {
  const declared = { focus: types } as HookService['declared'];
  return hookFoci({ declared }, contextReader(hookVersions({ hook }))({ ...user, ...context }));
}

async function refusal(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'PARAMETER_INVALID') return error.message;
    throw error;
  }
  throw new Error('the context was accepted');
}

describe('what the predictions of a call are about', () => {
  test('is the patient alone where the manifest names no types, whatever the context holds', async () => {
    expect(await foci('order-sign', { draftOrders: bundle(order(), 7) })).toEqual([undefined]);
    expect(await foci('patient-view', {})).toEqual([undefined]);
  });

  test('CDS-71 is each draft of the types, by its content: it may have no id', async () => {
    const found = await foci('order-sign', { draftOrders: bundle(order(), drug, order({ note: [{ text: 'b' }] })) }, [
      'ServiceRequest',
    ]);
    expect(found).toHaveLength(2);
    for (const focus of found) expect(focus).toMatch(/^ServiceRequest#[0-9a-f]{64}$/);
    expect(new Set(found).size).toBe(2);
  });

  test('is one draft however its elements are ordered, and another one once its content is', async () => {
    const types = ['ServiceRequest'];
    const [first] = await foci('order-sign', { draftOrders: bundle(order({ id: 'x' })) }, types);
    const { resourceType, ...rest } = order({ id: 'x' });
    expect(await foci('order-sign', { draftOrders: bundle({ ...rest, resourceType }) }, types)).toEqual([first]);
    expect(await foci('order-sign', { draftOrders: bundle(order({ id: 'x', priority: 'stat' })) }, types)).not.toEqual([
      first,
    ]);
  });

  test('of order-select is what was selected', async () => {
    const draftOrders = bundle(order({ id: 'a' }), order({ id: 'b' }), drug);
    const all = await foci('order-sign', { draftOrders }, ['ServiceRequest']);
    expect(
      await foci('order-select', { draftOrders, selections: ['ServiceRequest/b', 'MedicationRequest/m1'] }, [
        'ServiceRequest',
      ]),
    ).toEqual([all[1]]);
    expect(
      await refusal(() => foci('order-select', { draftOrders, selections: ['ServiceRequest/c'] }, ['ServiceRequest'])),
    ).toBe('context.selections[0] names nothing that context.draftOrders holds.');
  });

  test('of order-dispatch is what is named, in both versions of the hook', async () => {
    const performer = 'Organization/2';
    const dispatchedOrders = ['ServiceRequest/1', 'DeviceRequest/2', 'ServiceRequest/1'];
    expect(await foci('order-dispatch', { performer, dispatchedOrders }, ['ServiceRequest'])).toEqual([
      'ServiceRequest/1',
    ]);
    expect(await foci('order-dispatch', { performer, order: 'ServiceRequest/9' }, ['ServiceRequest'])).toEqual([
      'ServiceRequest/9',
    ]);
  });

  test('is found at once, however often a large draft is selected', async () => {
    const large = order({ id: 'a', note: Array.from({ length: 5_000 }, (_, at) => ({ text: `${at}`.repeat(20) })) });
    const selections = Array.from({ length: 1_000 }, () => 'ServiceRequest/a');
    const startedMs = performance.now();
    const found = await foci('order-select', { draftOrders: bundle(large), selections }, ['ServiceRequest']);
    expect(found).toHaveLength(1);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  test('is never a draft of another patient, also of a type that no prediction is about', async () => {
    const appointments = (...ids: string[]) =>
      bundle({
        resourceType: 'Appointment',
        participant: ids.map((id) => ({ actor: { reference: id } })),
      });
    const message = await refusal(() =>
      foci('appointment-book', { appointments: appointments('Patient/18', 'Practitioner/1') }, ['Appointment']),
    );
    expect(message).toContain('another patient');
    expect(
      await foci('appointment-book', { appointments: appointments('Practitioner/1', 'Patient/18', 'Patient/17') }, [
        'Appointment',
      ]),
    ).toHaveLength(1);
    expect(
      await refusal(() =>
        foci('order-sign', { draftOrders: bundle({ ...drug, subject: { reference: 'Patient/18' } }) }, [
          'ServiceRequest',
        ]),
      ),
    ).toContain('another patient');
  });

  test('is nothing where the call is about other types', async () => {
    expect(await foci('order-sign', { draftOrders: bundle(drug) }, ['ServiceRequest'])).toEqual([]);
    expect(await foci('appointment-book', { appointments: bundle() }, ['Appointment'])).toEqual([]);
  });

  test.each([
    ['no resource', bundle(7), 'context.draftOrders.entry[0].resource must be a resource'],
    ['an entry without one', { resourceType: 'Bundle', entry: [{}] }, 'context.draftOrders.entry[0].resource'],
    ['entries that are no list', { resourceType: 'Bundle', entry: {} }, 'context.draftOrders.entry must be a list'],
    ['an order of another patient', bundle(order({ subject: { reference: 'Patient/18' } })), 'another patient'],
    [
      'an order of a patient at an address',
      bundle(order({ subject: { reference: 'https://ehr.example/fhir/Patient/18' } })),
      'another patient',
    ],
    ['too many', bundle(...Array.from({ length: 21 }, (_, id) => order({ id: `o${id}` }))), 'more than 20'],
  ])('is refused where the drafts hold %s', async (_, draftOrders, message) => {
    expect(await refusal(() => foci('order-sign', { draftOrders }, ['ServiceRequest']))).toContain(message);
  });
});
