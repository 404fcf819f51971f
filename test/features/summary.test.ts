import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { encounter, mgPerDl, observation } from '../support/build-record.ts';
import { extractOne } from '../support/extract-one.ts';

type Pick = Extract<FeatureDefinition, { kind: 'observation' }>['pick'];

const creatinine = (pick: Pick, parts: object = {}): FeatureDefinition => ({
  kind: 'observation',
  label: 'Creatinine',
  unit: 'mg/dL',
  codes: ['http://loinc.org|2160-0'],
  conversions: [{ from: 'umol/L', factor: 1 / 88.4, source: 'test' }],
  window: 'P1Y',
  pick,
  plausible: [0.1, 40],
  missing: 'abstain',
  ...parts,
});
const at = (value: number, when: string, parts: object = {}) => observation('2160-0', mgPerDl(value), when, parts);
const three = [at(1, '2026-01-01T08:00:00Z'), at(4, '2026-01-03T08:00:00Z'), at(1.5, '2026-01-02T08:00:00Z')];

describe('a summary of measurements', () => {
  it.each([
    ['earliest', 1, '2026-01-01T08:00:00Z'],
    ['latest', 4, '2026-01-03T08:00:00Z'],
    ['min', 1, '2026-01-01T08:00:00Z'],
    ['max', 4, '2026-01-03T08:00:00Z'],
    ['mean', 6.5 / 3, '2026-01-03T08:00:00Z'],
    ['median', 1.5, '2026-01-03T08:00:00Z'],
    ['sum', 6.5, '2026-01-03T08:00:00Z'],
    ['count', 3, '2026-01-03T08:00:00Z'],
  ] as const)('%s of three is %d', (pick, value, when) => {
    const found = extractOne(creatinine(pick), three);
    expect(found).toMatchObject({ value, at: when });
    expect(found.sources).toHaveLength(pick === 'earliest' || pick === 'latest' ? 1 : 3);
  });

  it.each(['count', 'time-since', 'mean', 'max'] as const)(
    '%s is dated alike in whatever order one time is given in two ways',
    (pick) => {
      const twice = ['2026-01-04T10:00:00+02:00', '2026-01-04T08:00:00Z'].map((when) => at(4, when, { id: undefined }));
      for (const order of [twice, twice.toReversed()])
        expect(extractOne(creatinine(pick, { per: 'd' }), order)).toMatchObject({ at: '2026-01-04T08:00:00Z' });
    },
  );

  it('has the middle of the two middle values as the median of an even number', () => {
    expect(extractOne(creatinine('median'), [...three, at(2, '2026-01-04T08:00:00Z')])).toMatchObject({ value: 1.75 });
  });

  it('has the slope of the least-squares line, for each unit of time', () => {
    const rising = [at(1, '2026-01-01T00:00:00Z'), at(2, '2026-01-03T00:00:00Z'), at(3, '2026-01-05T00:00:00Z')];
    expect(extractOne(creatinine('slope', { per: 'd' }), rising)).toMatchObject({ state: 'derived', value: 0.5 });
    expect(extractOne(creatinine('slope', { per: 'h' }), rising)).toMatchObject({ value: 0.5 / 24 });
  });

  it('has no slope where one value is given in two units, though the conversion rounds', () => {
    const inMicrogram = { value: 16.959999999999997, system: 'http://unitsofmeasure.org', code: 'ug/mL' };
    const level = [at(1.696, '2026-01-01T00:00:00Z'), observation('2160-0', inMicrogram, '2026-01-03T00:00:00Z')];
    expect(extractOne(creatinine('slope', { per: 'd' }), level)).toMatchObject({ state: 'derived', value: 0 });
    const rising = [at(1.696, '2026-01-01T00:00:00Z'), at(1.6961, '2026-01-03T00:00:00Z')];
    expect(extractOne(creatinine('slope', { per: 'd' }), rising).state).toBe('derived');
  });

  it('has the time of the newest that is the highest, also where one unit rounds it lower than the other', () => {
    const inMicrogram = { value: 16.959999999999997, system: 'http://unitsofmeasure.org', code: 'ug/mL' };
    const equal = [at(1.696, '2026-01-01T00:00:00Z'), observation('2160-0', inMicrogram, '2026-01-03T00:00:00Z')];
    for (const pick of ['max', 'min'] as const)
      expect(extractOne(creatinine(pick), equal)).toMatchObject({ at: '2026-01-03T00:00:00Z' });
  });

  it('says how long ago the newest was measured', () => {
    const found = extractOne(creatinine('time-since', { per: 'd' }), three, { asOf: '2026-01-05T20:00:00Z' });
    expect(found).toMatchObject({ state: 'derived', value: 2.5, at: '2026-01-03T08:00:00Z' });
  });

  it('counts from the beginning of a day that has no time', () => {
    const found = extractOne(creatinine('time-since', { per: 'h' }), [at(1, '2026-01-03')], {
      asOf: '2026-01-05T00:00:00-05:00',
      timeZone: 'America/New_York',
    });
    expect(found).toMatchObject({ value: 48 });
  });

  it('has no slope and no time since where a time is known to the month only', () => {
    const vague = [...three, at(2, '2025-11')];
    expect(extractOne(creatinine('slope', { per: 'd' }), vague)).toMatchObject({ because: 'time-unknown' });
    expect(extractOne(creatinine('time-since', { per: 'd' }), vague)).toMatchObject({ state: 'derived' });
    expect(extractOne(creatinine('time-since', { per: 'd' }), [at(2, '2025-11')])).toMatchObject({
      because: 'time-unknown',
    });
    expect(extractOne(creatinine('mean'), vague)).toMatchObject({ value: 8.5 / 4 });
  });

  it('leaves out what lies before the window or after as-of', () => {
    const outside = [at(9, '2024-12-31T08:00:00Z'), at(9, '2026-02-01T08:00:00Z')];
    expect(extractOne(creatinine('max'), [...three, ...outside], { asOf: '2026-01-31T12:00:00Z' })).toMatchObject({
      value: 4,
    });
  });

  it('converts every value, and says nothing of one sample in two units twice', () => {
    const both = [
      at(1, '2026-01-01T08:00:00Z'),
      observation(
        '2160-0',
        { value: 88.4, code: 'umol/L', system: 'http://unitsofmeasure.org' },
        '2026-01-01T08:00:00Z',
      ),
    ];
    expect(extractOne(creatinine('count'), both)).toMatchObject({ value: 1 });
    expect(extractOne(creatinine('sum'), both)).toMatchObject({ value: 1 });
  });
});

describe('a summary with a doubt', () => {
  it.each(['min', 'max', 'mean', 'median', 'sum'] as const)(
    'gives no %s where one value has no unit, be it an old one: the rest would be another number',
    (pick) => {
      const bare = observation('2160-0', { value: 1 }, '2025-12-01T08:00:00Z');
      expect(extractOne(creatinine(pick), [...three, bare])).toMatchObject({
        state: 'missing',
        because: 'unit-missing',
      });
    },
  );

  it.each([
    ['a limit', { value: 0.2, comparator: '<', code: 'mg/dL', system: 'http://unitsofmeasure.org' }, 'comparator'],
    ['an impossible value', mgPerDl(400), 'implausible'],
    ['a unit of another kind', { value: 1, code: 'mm[Hg]', system: 'http://unitsofmeasure.org' }, 'unconvertible'],
  ] as const)('gives no mean where one value is %s', (_, quantity, because) => {
    const one = observation('2160-0', quantity, '2025-12-01T08:00:00Z');
    expect(extractOne(creatinine('mean'), [...three, one])).toMatchObject({ state: 'missing', because });
  });

  it('calls two values at one time a conflict, also where one has a day and no time', () => {
    for (const when of ['2026-01-01T08:00:00Z', '2026-01-01']) {
      expect(extractOne(creatinine('mean'), [...three, at(2, when)])).toMatchObject({
        state: 'missing',
        because: 'conflict',
      });
    }
  });

  it('gives nothing where a measurement without a time may belong to those that count', () => {
    const untimed = at(2, '', { effectiveDateTime: undefined });
    for (const pick of ['earliest', 'mean', 'count', 'max'] as const)
      expect(extractOne(creatinine(pick), [...three, untimed])).toMatchObject({ because: 'time-unknown' });
  });

  it('takes no notice of one that was issued before the window began', () => {
    const old = at(2, '', { effectiveDateTime: undefined, issued: '2020-01-01T08:00:00Z' });
    expect(extractOne(creatinine('mean'), [...three, old])).toMatchObject({ value: 6.5 / 3 });
  });

  it('gives nothing where a year may lie on either side of the beginning of the window', () => {
    expect(extractOne(creatinine('count'), [...three, at(2, '2025')])).toMatchObject({ because: 'time-unknown' });
    expect(extractOne(creatinine('latest'), [...three, at(2, '2025')])).toMatchObject({ value: 4 });
  });

  it('does not count one that carries a modifier it does not know', () => {
    const modified = at(2, '2025-12-01T08:00:00Z', { modifierExtension: [{ url: 'http://x.example/not' }] });
    expect(extractOne(creatinine('count'), [...three, modified])).toMatchObject({ because: 'undecodable' });
    expect(extractOne(creatinine('time-since', { per: 'd' }), [...three, modified])).toMatchObject({
      state: 'derived',
    });
  });

  it.each(['preliminary', 'entered-in-error', 'cancelled', 'registered'] as const)(
    'does not see a result that is %s',
    (status) => {
      expect(extractOne(creatinine('count'), [...three, at(2, '2025-12-01T08:00:00Z', { status })])).toMatchObject({
        value: 3,
      });
    },
  );
});

describe('a time that is less exact than others', () => {
  const twice = [at(1, '2026-01-01T08:00:00Z'), at(1, '2026-01-01T20:00:00Z')];

  it('does not make one of several measurements that are known to be different', () => {
    for (const pick of ['count', 'sum', 'mean'] as const) {
      expect(extractOne(creatinine(pick), twice)).toMatchObject({ state: 'derived' });
      expect(extractOne(creatinine(pick), [...twice, at(1, '2026-01-01')])).toMatchObject({ because: 'time-unknown' });
    }
    const month = [...three, at(2, '2026-01')];
    expect(extractOne(creatinine('count'), month)).toMatchObject({ because: 'time-unknown' });
  });

  it('is no day of its own', () => {
    expect(extractOne(creatinine('count', { distinctBy: 'day' }), [at(1, '2025-12'), ...twice])).toMatchObject({
      because: 'time-unknown',
    });
  });

  it('does not move the exact one that says the same', () => {
    const rising = [at(1, '2026-01-01T20:00:00Z'), at(2, '2026-01-02T20:00:00Z')];
    const slope = creatinine('slope', { per: 'd' });
    expect(extractOne(slope, rising)).toMatchObject({ value: 1 });
    expect(extractOne(slope, [at(1, '2026-01-01'), ...rising])).toMatchObject({ value: 1 });
  });
});

describe('a count of measurements that contradict each other', () => {
  it('is a conflict where two values stand at one time: they may be two measurements', () => {
    const at8 = '2026-01-01T08:00:00Z';
    expect(extractOne(creatinine('count'), [...three, at(2, at8)])).toMatchObject({ because: 'conflict' });
    expect(extractOne(creatinine('count'), [...three, at(1, at8)])).toMatchObject({ value: 3 });
  });

  it('counts one whose value cannot be read: it was made all the same', () => {
    const bare = observation('2160-0', { value: 1 }, '2025-12-01T08:00:00Z');
    expect(extractOne(creatinine('count'), [...three, bare])).toMatchObject({ value: 4 });
  });
});

describe('a summary that no result can say', () => {
  it('is a reason for a time since, too', () => {
    const now = [at(1, '2026-03-01T11:59:50Z')];
    expect(extractOne(creatinine('time-since', { per: 'a' }), now)).toMatchObject({ because: 'not-computable' });
    expect(extractOne(creatinine('time-since', { per: 'h' }), now)).toMatchObject({ state: 'derived' });
  });

  it('is a reason, where it is nearer to 0 than a number without an exponent', () => {
    const rising = [at(1, '2025-06-01T00:00:00Z'), at(1.001, '2026-02-01T00:00:00Z')];
    expect(extractOne(creatinine('slope', { per: 'h' }), rising)).toMatchObject({ because: 'not-computable' });
    expect(extractOne(creatinine('slope', { per: 'a' }), rising)).toMatchObject({ state: 'derived' });
  });
});

describe('a result of which nobody knows whether it counts', () => {
  const unknown = (when: string, parts: object = {}) => at(2, when, { status: 'unknown', ...parts });

  it('makes a summary unknown, and none is not 0 beside it', () => {
    const counted = creatinine('count', { absent: { assume: 0, encounterWithin: 'P2Y' } });
    const doubtful = unknown('2026-01-02T08:00:00Z');
    for (const pick of ['count', 'mean'] as const)
      expect(extractOne(creatinine(pick), [...three, doubtful])).toMatchObject({ because: 'undecodable' });
    expect(extractOne(counted, [encounter('2026-01-01T08:00:00Z'), doubtful])).toMatchObject({
      because: 'undecodable',
    });
  });

  it('is not looked at before the window, or after as-of in whatever sense', () => {
    const others = [
      unknown('2020-01-01T08:00:00Z'),
      unknown('2026-04-01T08:00:00Z'),
      unknown('2026-01-02T08:00:00Z', { issued: '2026-04-01T08:00:00Z' }),
    ];
    for (const other of others) expect(extractOne(creatinine('count'), [...three, other])).toMatchObject({ value: 3 });
  });
});

describe('a summary of too few', () => {
  it('needs two times for a slope, and as many as the map asks for', () => {
    expect(extractOne(creatinine('slope', { per: 'd' }), three.slice(0, 1))).toMatchObject({ because: 'too-few' });
    expect(extractOne(creatinine('mean', { atLeast: 4 }), three)).toMatchObject({
      because: 'too-few',
      detail: '3 Creatinine within 1 year; at least 4 are needed',
    });
  });

  it('is a reason where there is none: none is not 0', () => {
    for (const pick of ['earliest', 'min', 'mean', 'sum', 'count', 'slope', 'time-since'] as const)
      expect(extractOne(creatinine(pick, { per: 'd' }), [])).toMatchObject({ state: 'missing', because: 'not-found' });
  });

  it('is 0 under the conditions of absence alone', () => {
    const counted = creatinine('count', { absent: { assume: 0, encounterWithin: 'P2Y' } });
    expect(extractOne(counted, [])).toMatchObject({ state: 'missing', because: 'no-recent-encounter' });
    const visit = encounter('2026-01-01T08:00:00Z');
    expect(extractOne(counted, [visit])).toMatchObject({ state: 'assumed-absent', value: 0 });
  });
});

describe('a count by day or encounter', () => {
  it('counts the days of the site', () => {
    const late = [at(1, '2026-01-01T23:30:00Z'), at(2, '2026-01-02T00:30:00Z'), at(3, '2026-01-02T20:00:00Z')];
    const byDay = creatinine('count', { distinctBy: 'day' });
    expect(extractOne(byDay, late)).toMatchObject({ value: 2 });
    expect(extractOne(byDay, late, { timeZone: 'America/New_York' })).toMatchObject({ value: 2 });
    expect(extractOne(byDay, late.slice(0, 2), { timeZone: 'America/New_York' })).toMatchObject({ value: 1 });
  });

  it('counts encounters, and nothing where a measurement names none', () => {
    const visits = [encounter('2026-01-01T07:00:00Z'), encounter('2026-01-02T07:00:00Z')];
    const during = (index: number) => ({ encounter: { reference: `Encounter/${visits[index]?.id}` } });
    const some = [
      at(1, '2026-01-01T08:00:00Z', during(0)),
      at(2, '2026-01-01T09:00:00Z', during(0)),
      at(3, '2026-01-02T08:00:00Z', during(1)),
    ];
    const byEncounter = creatinine('count', { distinctBy: 'encounter' });
    expect(extractOne(byEncounter, [...visits, ...some])).toMatchObject({ value: 2 });
    expect(extractOne(byEncounter, [...visits, ...some, at(4, '2026-01-03T08:00:00Z')])).toMatchObject({
      because: 'undecodable',
    });
  });
});

describe('an observation in an encounter of a class', () => {
  const act = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
  const outpatient = (unknown: 'leave-out' | 'abstain') =>
    creatinine('latest', { where: { encounter: { class: [`${act}|AMB`] }, unknown } });
  const visit = encounter('2026-01-01T07:00:00Z');
  const stay = encounter('2026-01-02T07:00:00Z', '2026-01-09T07:00:00Z', { class: { system: act, code: 'IMP' } });
  const inside = (of: { id?: string }) => ({ encounter: { reference: `Encounter/${of.id}` } });
  const ambulatory = at(1, '2026-01-01T08:00:00Z', inside(visit));
  const bedside = at(3, '2026-01-05T08:00:00Z', inside(stay));

  it('takes the newest of those that were measured in one', () => {
    expect(extractOne(outpatient('abstain'), [visit, stay, ambulatory, bedside])).toMatchObject({ value: 1 });
  });

  it('is a reason where the newest names no encounter, or one that is not in the record', () => {
    const nowhere = [at(2, '2026-02-01T08:00:00Z'), at(2, '2026-02-01T08:00:00Z', inside({ id: 'elsewhere' }))];
    for (const one of nowhere) {
      expect(extractOne(outpatient('abstain'), [visit, ambulatory, one])).toMatchObject({
        because: 'undecodable',
        detail: 'the newest Creatinine: the encounter it was measured in is not known',
      });
      expect(extractOne(outpatient('leave-out'), [visit, ambulatory, one])).toMatchObject({ value: 1 });
    }
  });

  it('is not found where all were measured in encounters of another class', () => {
    expect(extractOne(outpatient('abstain'), [stay, bedside])).toMatchObject({ because: 'not-found' });
  });

  it.each([
    ['is another version than the one it names', { id: 'doubtful/_history/2', meta: { versionId: '3' } }],
    ['was entered in error', { status: 'entered-in-error' }],
    ['did not take place', { status: 'cancelled' }],
    ['has a class of another system', { class: { system: 'http://hospital.example', code: 'OUT' } }],
    ['has a class without a code', { class: { system: act, display: 'ambulatory' } }],
    ['carries a modifier it does not know', { modifierExtension: [{ url: 'http://x.example/not' }] }],
  ])('takes neither it nor an older one where its encounter %s', (_, parts) => {
    const named = { ...visit, id: 'doubtful', ...(parts as { id?: string }) };
    const newest = at(9, '2026-02-01T08:00:00Z', inside(named));
    const resources = [visit, ambulatory, { ...named, id: 'doubtful' }, newest];
    expect(extractOne(outpatient('abstain'), resources)).toMatchObject({ because: 'undecodable' });
    expect(extractOne(outpatient('leave-out'), resources)).toMatchObject({ value: 1 });
  });
});
