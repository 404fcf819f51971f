import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CardToShow, holdBack } from '../../src/monitoring/held-cards.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

const hourMs = 3_600_000;
const card: Omit<CardToShow, 'card'> = {
  service: 'prevent-base',
  hook: 'patient-view',
  outcome: 'ascvd-10y',
  user: 'Practitioner/7',
  subject: { base: 'https://ehr.example/fhir', id: '17' },
  encounter: 'visit',
  model: { id: 'prevent-base', version: '1.0.0', digest: 'aa' },
  said: 'warning: high',
  heldForMs: 8 * hourMs,
};

/** Whether a card is held back so many hours after noon. */
function heldAt(tenant: string, hours: number, change: Partial<CardToShow> = {}): Promise<boolean> {
  const at = new Date(Date.parse('2026-03-01T12:00:00Z') + hours * hourMs);
  return holdBack(opened.database, { tenant, at }, { ...card, card: randomUUID(), ...change });
}

describe('a card that says the same again', () => {
  it('is held back within the time, counted from the one that was shown, and shown after it', async () => {
    expect(await heldAt('time', 0)).toBe(false);
    expect([await heldAt('time', 1), await heldAt('time', 7.9)]).toEqual([true, true]);
    expect(await heldAt('time', 8)).toBe(false);
    expect(await heldAt('time', 15)).toBe(true);
  });

  it.each<[string, Partial<CardToShow>]>([
    ['to another user', { user: 'Practitioner/8' }],
    ['about another patient', { subject: { base: 'https://ehr.example/fhir', id: '18' } }],
    ['about the patient of the same id at another server', { subject: { base: 'https://other.example', id: '17' } }],
    ['at another encounter', { encounter: 'next' }],
    ['without an encounter', { encounter: undefined }],
    ['about another order', { focus: 'ServiceRequest/2' }],
    ['of another service', { service: 'pce-2013' }],
    ['of another version', { model: { ...card.model, version: '1.1.0', digest: 'bb' } }],
    ['at another hook', { hook: 'order-sign' }],
    ['about another outcome', { outcome: 'total-cvd-10y' }],
    ['of a band that has risen', { said: 'warning: very-high' }],
    ['of a band that has fallen', { said: 'warning: low' }],
    ['that is more urgent in the same band', { said: 'critical: high' }],
    ['that may not be held back, a critical one', { heldForMs: undefined }],
  ])('is shown %s', async (name, change) => {
    await heldAt(name, 0);
    expect(await heldAt(name, 1, change)).toBe(false);
  });

  it('is shown again after another band, also one that shows no card', async () => {
    await heldAt('back', 0);
    await heldAt('back', 1, { said: 'none: low', heldForMs: undefined });
    expect(await heldAt('back', 2)).toBe(false);
  });

  it('is shown to another tenant', async () => {
    await heldAt('one', 0);
    expect(await heldAt('two', 1)).toBe(false);
  });

  it('is shown where the clock of the first one was wrong by more than replicas differ', async () => {
    await heldAt('clock', 100);
    expect(await heldAt('clock', 0)).toBe(false);
  });

  it('is shown by one of many replicas that are asked at once, and counted for all others', async () => {
    const held = await Promise.all(Array.from({ length: 12 }, () => heldAt('replicas', 0)));
    expect(held.filter((one) => !one)).toHaveLength(1);
    const { rows } = await opened.database.query<{ count: string }>(
      "select count(*)::text as count from held_cards where tenant = 'replicas'",
    );
    expect(rows[0]?.count).toBe('11');
  });
});
