import type { Encounter, ServiceRequest } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { encounter } from '../support/build-record.ts';
import { extractOne, noPopulation } from '../support/extract-one.ts';

// As-of is 2026-03-01T12:00:00Z.
const snomed = 'http://snomed.info/sct';
const referral = '183519002';
const definition = (parts: object = {}): FeatureDefinition => ({
  kind: 'service-request',
  label: 'Referral',
  codes: [`${snomed}|${referral}`],
  window: 'P1Y',
  absent: { assume: false, encounterWithin: 'P2Y' },
  ...parts,
});
const counted = definition({ pick: 'count', absent: { assume: 0, encounterWithin: 'P2Y' } });
const concept = (code: string, system = snomed) => ({ coding: [{ system, code }] });
let sequence = 0;
const request = (authoredOn: string | undefined, parts: Partial<ServiceRequest> = {}): ServiceRequest => {
  sequence += 1;
  return {
    resourceType: 'ServiceRequest',
    id: `request-${sequence}`,
    status: 'active',
    intent: 'order',
    code: concept(referral),
    subject: { reference: 'Patient/1' },
    ...(authoredOn === undefined ? {} : { authoredOn }),
    ...parts,
  };
};
const visit = encounter('2026-01-10T09:00:00Z', '2026-01-10T09:30:00Z');

describe('a service that was asked for', () => {
  it('is yes, or is counted, in the window', () => {
    const some = [request('2026-02-01'), request('2025-06-01', { status: 'completed' }), request('2025-01-01')];
    expect(extractOne(definition(), some)).toMatchObject({ state: 'observed', value: true, at: '2026-02-01' });
    expect(extractOne(counted, some)).toMatchObject({ state: 'derived', value: 2 });
  });

  it.each([
    ['is a draft', { status: 'draft' as const }],
    ['was revoked', { status: 'revoked' as const }],
    ['was entered in error', { status: 'entered-in-error' as const }],
    ['is on hold', { status: 'on-hold' as const }],
    ['is a proposal', { intent: 'proposal' as const }],
    ['is a plan', { intent: 'plan' as const }],
    ['is not to be performed', { doNotPerform: true }],
    ['is another service', { code: concept('3457005') }],
    ['was asked for after as-of', { authoredOn: '2026-03-02' }],
  ])('does not count where it %s', (_, parts) => {
    expect(extractOne(definition(), [request('2026-02-01', parts), visit])).toMatchObject({ state: 'assumed-absent' });
    expect(extractOne(counted, [request('2026-02-01', parts), visit])).toMatchObject({ value: 0 });
  });

  it.each([
    ['has an unknown status', { status: 'unknown' as const }, 'undecodable'],
    ['is a text only', { code: { text: 'cardiology' } }, 'undecodable'],
    ['carries a modifier', { modifierExtension: [{ url: 'urn:x', valueBoolean: true }] }, 'undecodable'],
    ['does not say when', { authoredOn: undefined }, 'time-unknown'],
  ])('is a reason where it %s', (_, parts, because) => {
    expect(extractOne(definition(), [request('2026-02-01', parts), visit])).toMatchObject({ because });
    expect(extractOne(counted, [request('2026-02-01', parts), request('2026-01-01')])).toMatchObject({ because });
  });

  it('counts by its category too, where the map names one', () => {
    const laboratory = definition({ codes: undefined, category: [`${snomed}|108252007`] });
    expect(extractOne(laboratory, [request('2026-02-01', { category: [concept('108252007')] })])).toMatchObject({
      value: true,
    });
    expect(extractOne(laboratory, [request('2026-02-01', { category: [concept('363679005')] }), visit])).toMatchObject({
      state: 'assumed-absent',
    });
    expect(extractOne(laboratory, [request('2026-02-01'), visit])).toMatchObject({ because: 'undecodable' });
  });
});

describe('what the encounter of the call is for', () => {
  const isFor = definition({ of: 'encounter', when: 'ever', window: undefined });
  const stay = (...requests: string[]): Encounter =>
    encounter('2026-02-20T10:00:00Z', undefined, {
      status: 'in-progress',
      basedOn: requests.map((id) => ({ reference: `ServiceRequest/${id}` })),
    });
  const asked = request('2026-02-01', { id: 'asked' });

  it('is the request that it names, and no other', () => {
    expect(extractOne(isFor, [asked], { encounter: stay('asked') })).toMatchObject({ value: true });
    const other = request('2026-02-01', { id: 'other', code: concept('3457005') });
    expect(extractOne(isFor, [asked, other], { encounter: stay('other') })).toMatchObject({ state: 'assumed-absent' });
    expect(extractOne(isFor, [asked], { encounter: stay() })).toMatchObject({ state: 'assumed-absent' });
  });

  it('is not decided without the request, or without an encounter', () => {
    expect(extractOne(isFor, [asked], { encounter: stay('gone') })).toMatchObject({ because: 'undecodable' });
    expect(extractOne(isFor, [asked])).toMatchObject({ because: 'no-encounter' });
    const bare = definition({ of: 'encounter', when: 'ever', window: undefined, absent: undefined });
    expect(extractOne(bare, [], { encounter: stay('gone') })).toMatchObject({ because: 'undecodable' });
    const number = definition({ of: 'encounter', when: 'ever', window: undefined, pick: 'count', absent: undefined });
    expect(extractOne(number, [asked], { encounter: stay('asked', 'gone') })).toMatchObject({ because: 'undecodable' });
  });
});

it('a request has a definition that is checked as that of other events', () => {
  const feature = definition({ codes: undefined, suspectText: ['cardiolog'], when: 'ever' });
  const map = { language: 1 as const, features: { feature }, population: noPopulation };
  expect(checkFeatureMap(map, []).map(({ path }) => path)).toEqual([
    '/features/feature',
    '/features/feature/suspectText',
  ]);
});
