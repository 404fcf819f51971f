import type { Encounter, Observation, Procedure, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { valueKind } from '../../src/model-catalog/value-kind.ts';
import { casesPresent } from '../support/cases.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { predictOverHttp, readInputs } from '../support/predict-call.ts';
import { type ReadScore, readScores } from '../support/read-scores.ts';
import { diagnosis, laboratoryResult, scorablePatient } from '../support/scorable-patient.ts';
import { scoreCases, storedTests } from '../support/score-cases.ts';
import type { Person } from '../support/score-people.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { transactionOf } from '../support/transaction-of.ts';

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight({ models: 'published' });
  const stored = await send(`${server.fhir}/Patient/empty`, 'PUT', { resourceType: 'Patient', id: 'empty' });
  expect(stored.status).toBe(201);
});
afterAll(() => server?.close());

/** What each score needs to know of a person beside its columns, so that the population lets it through. */
const eligible: Readonly<Record<string, Readonly<Record<string, number | boolean>>>> = {
  'cha2ds2-vasc': { atrialFibrillation: true, valvularDisease: false },
  meld3: { age: 57, dialysisDependence: false },
  lace: { age: 57 },
  hospital: { age: 57 },
  news2: { age: 57, pregnancy: false },
};

/** Asserts every column, and what the population asks for. */
function assertAll(
  model: string,
  person: Person,
  more: Readonly<Record<string, number | boolean | string>> = {},
): Promise<Answer> {
  const { features } = server.house.catalog.find(model).featureMap;
  const inputs = Object.entries(person).map(([name, value]) => {
    const definition = features[name];
    if (definition === undefined) throw new Error(`${model} has no feature ${name}`);
    return [name, valueKind(definition) === 'boolean' ? value === 1 : value] as const;
  });
  return predictOverHttp(server.fhir, 'empty', {
    model,
    inputs: { ...Object.fromEntries(inputs), ...eligible[model], ...more },
  });
}

/** The number of a class, as the cases give it, and its code in the result. */
function numberOf(model: string, outcome: string, score: ReadScore | undefined): number {
  if (score === undefined || !('value' in score || 'code' in score)) return Number.NaN;
  if ('value' in score) return score.value;
  const declared = server.house.catalog.find(model).manifest.outcomes.find(({ id }) => id === outcome);
  const classes = declared?.kind === 'class' ? declared.classes : [];
  return classes.find(({ code }) => code === score.code)?.number ?? Number.NaN;
}

const said = (score: ReadScore | undefined): string =>
  score === undefined ? 'no answer' : 'reasons' in score ? `${score.state} ${score.reasons.join(' ')}` : score.state;

describe.skipIf(!casesPresent)('published scores through $predict, every input asserted', () => {
  it.each([
    ['ckd-epi-2021', 'mL/min/{1.73_m2}', 110],
    ['fib4', '1', 35],
    ['cha2ds2-vasc', '{score}', 80],
    ['meld3', '{score}', 50],
    ['lace', '{score}', 150],
    ['hospital', '{score}', 65],
  ])(
    'every row of %s is an Observation with the published value in %s, and the published band',
    async (model, unit, atLeast) => {
      const { cases, tolerance } = scoreCases(model);
      const problems: string[] = [];
      for (const { id, person, expected, level } of cases) {
        const answer = await assertAll(model, person);
        const scores = readScores(answer);
        for (const [outcome, value] of Object.entries(expected)) {
          const score = scores.get(outcome);
          const allowed = score !== undefined && 'code' in score ? 0 : tolerance;
          const difference = Math.abs(numberOf(model, outcome, score) - value);
          if (!(difference <= allowed)) problems.push(`${id} ${outcome}: ${said(score)}, off by ${difference}`);
          if (score === undefined || !('unit' in score)) continue;
          if (score.unit !== unit) problems.push(`${id}: in ${score.unit}`);
          if (score.level !== level) problems.push(`${id}: ${score.level}, expected ${level}`);
        }
      }
      expect(problems).toEqual([]);
      expect(cases.length).toBeGreaterThanOrEqual(atLeast);
    },
  );

  it('every row of NEWS2 on its scale, and nothing on the other', async () => {
    const { cases } = scoreCases('news2');
    const problems: string[] = [];
    const seen = { first: 0, second: 0 };
    for (const { id, person, expected } of cases) {
      const scale2Ordered = 'news2-scale-2' in expected;
      seen[scale2Ordered ? 'second' : 'first'] += 1;
      const scores = readScores(await assertAll('news2', person, { scale2Ordered }));
      for (const [outcome, value] of Object.entries(expected)) {
        const found = numberOf('news2', outcome, scores.get(outcome));
        if (found !== value) problems.push(`${id} ${outcome}: ${found}, expected ${value}`);
      }
      const [other, reason] = scale2Ordered ? ['1', 'scale_2'] : ['2', 'scale_1'];
      for (const outcome of [`news2-scale-${other}`, `clinical-risk-scale-${other}`])
        if (said(scores.get(outcome)) !== `not-eligible ${reason}`)
          problems.push(`${id} ${outcome}: ${said(scores.get(outcome))}`);
    }
    expect(problems).toEqual([]);
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
  });

  it('NEWS2 is from 16 years on, and not for pregnancy', async () => {
    const [first] = scoreCases('news2').cases;
    const person = first?.person ?? {};
    const of = async (more: Readonly<Record<string, number | boolean>>) =>
      said(readScores(await assertAll('news2', person, { scale2Ordered: false, ...more })).get('news2-scale-1'));
    expect([await of({ age: 15 }), await of({ age: 16 })]).toEqual(['not-eligible age', 'score']);
    expect(await of({ pregnancy: true })).toBe('not-eligible pregnancy');
  });

  it('FIB-4 reads nothing up to 35 years and says why, and still gives the index', async () => {
    const all = scoreCases('fib4').cases;
    const isYoung = ({ person }: { person: Person }) => Number(person.age) <= 35;
    const cases = [...all.filter(isYoung).slice(0, 6), ...all.filter((one) => !isYoung(one)).slice(0, 6)];
    const seen = { read: 0, withheld: 0 };
    for (const { person } of cases) {
      const scores = readScores(await assertAll('fib4', person));
      const young = Number(person.age) <= 35;
      expect(said(scores.get('advanced-fibrosis'))).toBe(young ? 'not-eligible age_reading' : 'score');
      expect(said(scores.get('fib-4'))).toBe('score');
      seen[young ? 'withheld' : 'read'] += 1;
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThanOrEqual(6);
  });

  it('FIB-4 refuses what the openEHR guideline calls too high and too low', async () => {
    const refused = storedTests('Fibrosis-4_FIB-4_Index_for_Liver_Fibrosis_guideline.v1').filter(
      ({ expected }) => expected['FIB-4 Score'] === undefined,
    );
    expect(refused).toHaveLength(2);
    for (const { inputs } of refused) {
      const answer = await assertAll('fib4', {
        age: inputs.Age?.value ?? Number.NaN,
        aspartateAminotransferase: inputs.AST?.value ?? Number.NaN,
        alanineAminotransferase: inputs.ALT?.value ?? Number.NaN,
        platelets: inputs['Platelet count']?.value ?? Number.NaN,
      });
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('outside the plausible');
    }
  });

  it.each(['ckd-epi-2021', 'fib4', 'cha2ds2-vasc', 'meld3', 'lace', 'hospital'])(
    '%s is for adults: nothing at 17, a score at 18',
    async (model) => {
      const [first] = scoreCases(model).cases;
      if (first === undefined) throw new Error(`no cases of ${model}`);
      const at = (age: number) => assertAll(model, { ...first.person, age }, { age });
      expect((await at(17)).status).toBe(422);
      const [young] = readScores(await at(17)).values();
      expect(said(young)).toContain('not-eligible age');
      expect((await at(18)).status).toBe(200);
    },
  );

  it('CHA2DS2-VASc is for nobody without atrial fibrillation, nor with a mechanical valve', async () => {
    const [first] = scoreCases('cha2ds2-vasc').cases;
    const person = first?.person ?? {};
    const without = readScores(await assertAll('cha2ds2-vasc', person, { atrialFibrillation: false }));
    expect(said(without.get('cha2ds2-vasc'))).toBe('not-eligible no_atrial_fibrillation');
    const valve = readScores(await assertAll('cha2ds2-vasc', person, { valvularDisease: true }));
    expect(said(valve.get('cha2ds2-vasc'))).toBe('not-eligible valvular');
  });

  it('MELD 3.0: dependence on dialysis without a session on record is no score as if there were none', async () => {
    const off = scoreCases('meld3').cases.find(({ person }) => person.dialysisSessions === 0);
    const person = off?.person ?? {};
    const unclear = readScores(await assertAll('meld3', person, { dialysisDependence: true }));
    expect(said(unclear.get('meld-3'))).toBe('out-of-range dialysisUnrecorded');
    const clear = await assertAll('meld3', { ...person, dialysisSessions: 3 }, { dialysisDependence: true });
    expect(clear.status).toBe(200);
  });

  it('a judgement that nobody gives is asked for, not taken for a no', async () => {
    const [first] = scoreCases('lace').cases;
    const { acuteAdmission: _, ...rest } = first?.person ?? {};
    const scores = readScores(await assertAll('lace', rest));
    expect(said(scores.get('lace'))).toBe('insufficient-data acuteAdmission:not-asserted');
  });
});

/** A diagnosis since 2020, with its words: what has none forbids to assume anything absent. */
function named(patient: string, name: string, code: string, display: string): Resource {
  const coding = [{ system: 'http://snomed.info/sct', code, display }];
  return { ...diagnosis(patient, name, code, '2020-05-01'), code: { coding } };
}

describe('published scores from a record', () => {
  /** A man of 57 with a visit in January 2026, and these resources. */
  async function predict(model: string, id: string, resources: readonly Resource[]): Promise<Answer> {
    const stored = await send(
      server.fhir,
      'POST',
      transactionOf([...scorablePatient(id).slice(0, 2), ...resources], { fullUrls: false }),
    );
    expect(stored.status, stored.text).toBe(200);
    return predictOverHttp(server.fhir, id, { model, asOf: '2026-01-12T12:00:00Z' });
  }

  it('CKD-EPI 2021 from creatinine in umol/L, as an Observation with LOINC, unit and category', async () => {
    const answer = await predict('ckd-epi-2021', 'ckd', [
      laboratoryResult('ckd', 'creatinine', '14682-9', 168, 'umol/L'),
    ]);
    const result = answer.body as Observation;
    expect(result.resourceType).toBe('Observation');
    expect(result.code.coding?.[0]).toMatchObject({ system: 'http://loinc.org', code: '98979-8' });
    const expected = 142 * (168 / 88.4 / 0.9) ** -1.2 * 0.9938 ** 57;
    expect(result.valueQuantity).toMatchObject({ system: 'http://unitsofmeasure.org', code: 'mL/min/{1.73_m2}' });
    expect(result.valueQuantity?.value).toBeCloseTo(expected, 9);
    expect(readScores(answer).get('gfr-category')).toEqual({ state: 'score', code: 'G3b' });
  });

  it('FIB-4 takes the three from one week, not the newest of each from any time', async () => {
    const at = (day: string) => `2026-01-${day}T08:30:00Z`;
    const of = (id: string, alanineOn: string) => [
      laboratoryResult(id, 'ast', '1920-8', 60, 'U/L', at('10')),
      laboratoryResult(id, 'alt', '1742-6', 36, 'U/L', at(alanineOn)),
      laboratoryResult(id, 'platelets', '777-3', 150, '10*3/uL', at('10')),
    ];
    const together = readScores(await predict('fib4', 'fib-together', of('fib-together', '08')));
    const index = together.get('fib-4');
    expect(index !== undefined && 'unit' in index ? [index.value.toFixed(9), index.unit] : index).toEqual([
      '3.800000000',
      '1',
    ]);
    expect(together.get('advanced-fibrosis')).toEqual({ state: 'score', code: 'high' });
    const apart = readScores(await predict('fib4', 'fib-apart', of('fib-apart', '02')));
    expect(said(apart.get('fib-4'))).toContain('insufficient-data');
    expect(said(apart.get('fib-4'))).toContain('not-together');
  });

  it('CHA2DS2-VASc counts the diagnoses of the record, and says that the others were assumed absent', async () => {
    const answer = await predict('cha2ds2-vasc', 'af', [
      named('af', 'fibrillation', '49436004', 'Atrial fibrillation'),
      named('af', 'hypertension', '59621000', 'Essential hypertension'),
      named('af', 'tia', '266257000', 'Transient ischemic attack'),
    ]);
    expect(readInputs(answer).get('diabetes')).toMatchObject({ state: 'assumed-absent', value: false });
    expect(readScores(answer).get('cha2ds2-vasc')).toMatchObject({ value: 3, unit: '{score}' });
    expect((answer.body as Observation).code.coding?.[0]?.code).toBe('713678009');
  });

  it('an unlisted diagnosis that speaks of a stroke is no missing point but an open question', async () => {
    const answer = await predict('cha2ds2-vasc', 'open', [
      named('open', 'fibrillation', '49436004', 'Atrial fibrillation'),
      named('open', 'unlisted', '25133001', 'Completed stroke'),
    ]);
    expect(said(readScores(answer).get('cha2ds2-vasc'))).toBe('insufficient-data strokeOrThromboembolism:undecodable');
  });

  describe('MELD 3.0', () => {
    const at = '2026-01-10T08:30:00Z';
    const blood = (id: string, creatinine: number) => [
      laboratoryResult(id, 'bilirubin', '14631-6', 53.01, 'umol/L', at),
      laboratoryResult(id, 'inr', '6301-6', 1.5, '{INR}', at),
      laboratoryResult(id, 'creatinine', '2160-0', creatinine, 'mg/dL', at),
      laboratoryResult(id, 'sodium', '2951-2', 131, 'meq/L', at),
      laboratoryResult(id, 'albumin', '1751-7', 28, 'g/L', at),
    ];
    const session = (id: string, name: string, performedDateTime: string): Procedure => ({
      resourceType: 'Procedure',
      id: `${id}-${name}`,
      status: 'completed',
      code: { coding: [{ system: 'http://snomed.info/sct', code: '302497006', display: 'Hemodialysis' }] },
      subject: { reference: `Patient/${id}` },
      performedDateTime,
    });
    /** The published formula, for a man with these values and this creatinine. */
    const meld = (creatinine: number) =>
      Math.round(
        4.56 * Math.log(53.01 / 17.1) +
          0.82 * 6 -
          0.24 * 6 * Math.log(53.01 / 17.1) +
          9.09 * Math.log(1.5) +
          11.14 * Math.log(creatinine) +
          1.85 * 0.7 -
          1.83 * 0.7 * Math.log(creatinine) +
          6,
      );

    it('converts every value to its unit, and takes no dialysis where none is on record', async () => {
      const answer = await predict('meld3', 'meld', blood('meld', 1.4));
      expect(readScores(answer).get('meld-3')).toMatchObject({ value: meld(1.4) });
      expect(readInputs(answer).get('dialysisSessions')).toMatchObject({ state: 'assumed-absent', value: 0 });
    });

    it('two sessions within the week make creatinine 3, one or an older one does not', async () => {
      const sessions = (id: string, ...on: string[]) => on.map((day, index) => session(id, `hd${index}`, day));
      const two = sessions('meld-two', '2026-01-07T10:00:00Z', '2026-01-10T10:00:00Z');
      const scores = readScores(await predict('meld3', 'meld-two', [...blood('meld-two', 1.4), ...two]));
      expect(scores.get('meld-3')).toMatchObject({ value: meld(3) });
      const old = sessions('meld-old', '2026-01-02T10:00:00Z', '2026-01-10T10:00:00Z');
      const one = readScores(await predict('meld3', 'meld-old', [...blood('meld-old', 1.4), ...old]));
      expect(one.get('meld-3')).toMatchObject({ value: meld(1.4) });
    });

    it('a diagnosis of dependence on dialysis without a session is out of range', async () => {
      const dependence = named('meld-dep', 'dependence', '105502003', 'Dependence on renal dialysis');
      const scores = readScores(await predict('meld3', 'meld-dep', [...blood('meld-dep', 1.4), dependence]));
      expect(said(scores.get('meld-3'))).toBe('out-of-range dialysisUnrecorded');
    });
  });

  describe('NEWS2', () => {
    const at = '2026-01-12T10:30:00Z';
    const vitals = (id: string, at_: string = at): Resource[] => [
      laboratoryResult(id, 'rate', '9279-1', 22, '{breaths}/min', at_),
      laboratoryResult(id, 'saturation', '59408-5', 94, '%', at_),
      laboratoryResult(id, 'flow', '3151-8', 2, 'L/min', at_),
      laboratoryResult(id, 'temperature', '8310-5', 100.4, '[degF]', at_),
      laboratoryResult(id, 'pulse', '8867-4', 95, '/min', at_),
      {
        resourceType: 'Observation',
        id: `${id}-pressure`,
        status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code: '85354-9' }] },
        subject: { reference: `Patient/${id}` },
        effectiveDateTime: at_,
        component: [
          {
            code: { coding: [{ system: 'http://loinc.org', code: '8480-6' }] },
            valueQuantity: { value: 105, unit: 'mm[Hg]', system: 'http://unitsofmeasure.org', code: 'mm[Hg]' },
          },
        ],
      },
      {
        resourceType: 'Observation',
        id: `${id}-acvpu`,
        status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code: '67775-7' }] },
        subject: { reference: `Patient/${id}` },
        effectiveDateTime: at_,
        valueCodeableConcept: { coding: [{ system: 'http://loinc.org', code: 'LA9340-6', display: 'Alert' }] },
      },
    ];
    /** In hospital since the morning. */
    const stay = (id: string): Encounter => ({
      resourceType: 'Encounter',
      id: `${id}-stay`,
      status: 'in-progress',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' },
      subject: { reference: `Patient/${id}` },
      period: { start: '2026-01-12T06:00:00Z' },
    });

    it('from one set of vital signs, each in its unit; nobody orders scale 2 and nothing speaks for it: scale 1', async () => {
      const answer = await predict('news2', 'news', [stay('news'), ...vitals('news')]);
      const scores = readScores(answer);
      // 2 rate, 1 saturation, 2 oxygen, 0 temperature (38.0), 1 pressure, 1 pulse, 0 alert
      expect(scores.get('news2-scale-1')).toMatchObject({ value: 7, unit: '{score}' });
      expect(scores.get('clinical-risk-scale-1')).toEqual({ state: 'score', code: 'high' });
      expect(said(scores.get('news2-scale-2'))).toBe('insufficient-data scale2Ordered:not-asserted');
      expect(readInputs(answer).get('temperature')?.value).toBeCloseTo(38, 9);
    });

    it('hypercapnia on record: nothing on scale 1 until a clinician says which scale holds', async () => {
      const id = 'news-co2';
      const failure = {
        ...named(id, 'failure', '29596007', 'Hypercapnia'),
        code: {
          coding: [
            {
              system: 'http://hl7.org/fhir/sid/icd-10-cm',
              code: 'J96.12',
              display: 'Chronic respiratory failure with hypercapnia',
            },
          ],
        },
      } as Resource;
      const silent = readScores(await predict('news2', id, [stay(id), ...vitals(id), failure]));
      expect(said(silent.get('news2-scale-1'))).toBe('not-eligible scale_2');
      expect(said(silent.get('news2-scale-2'))).toBe('insufficient-data scale2Ordered:not-asserted');
      const asked = (scale2Ordered: boolean) =>
        predictOverHttp(server.fhir, id, { model: 'news2', asOf: '2026-01-12T12:00:00Z', inputs: { scale2Ordered } });
      const second = readScores(await asked(true));
      // 94 % on oxygen: 1 point on scale 2 too
      expect(second.get('news2-scale-2')).toMatchObject({ value: 7 });
      expect(said(second.get('news2-scale-1'))).toBe('not-eligible scale_2');
      const first = readScores(await asked(false));
      expect(first.get('news2-scale-1')).toMatchObject({ value: 7 });
      expect(said(first.get('news2-scale-2'))).toBe('not-eligible scale_1');
    });

    it('values of two rounds are no set: the incomplete newer one is not filled up with the older', async () => {
      const id = 'news-sets';
      const older = vitals(id, '2026-01-12T06:30:00Z').map((one) => ({ ...one, id: `${one.id}-older` }) as Resource);
      const [rate, ...rest] = vitals(id);
      const answer = await predict('news2', id, [stay(id), ...older.slice(0, 1), ...rest]);
      expect(rate).toBeDefined();
      expect(said(readScores(answer).get('news2-scale-1'))).toContain('not-together');
    });

    it('oxygen that nobody recorded is not room air', async () => {
      const id = 'news-air';
      const without = vitals(id).filter((one) => one.id !== `${id}-flow`);
      const scores = readScores(await predict('news2', id, [stay(id), ...without]));
      expect(said(scores.get('news2-scale-1'))).toContain('supplementalOxygen:');
      expect(said(scores.get('news2-scale-1'))).toContain('insufficient-data');
    });
  });

  describe('at discharge', () => {
    const asOf = '2026-03-11T10:00:00Z';
    const encounter = (id: string, name: string, code: string, start: string, end: string): Encounter => ({
      resourceType: 'Encounter',
      id: `${id}-${name}`,
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code },
      subject: { reference: `Patient/${id}` },
      period: { start, end },
    });
    const stay = (id: string) => encounter(id, 'stay', 'IMP', '2026-03-04T10:00:00Z', asOf);
    const discharge = async (model: string, id: string, resources: readonly Resource[], inputs: Judgements) => {
      const all = [...scorablePatient(id).slice(0, 2), stay(id), ...resources];
      const stored = await send(server.fhir, 'POST', transactionOf(all, { fullUrls: false }));
      expect(stored.status, stored.text).toBe(200);
      return predictOverHttp(server.fhir, id, { model, asOf, encounter: `Encounter/${id}-stay`, inputs });
    };
    type Judgements = Readonly<Record<string, boolean>>;

    it('LACE from the encounter, the diagnoses and the emergency visits of six months, with the judgement asserted', async () => {
      const id = 'lace';
      const answer = await discharge(
        'lace',
        id,
        [
          encounter(id, 'er1', 'EMER', '2025-10-02T10:00:00Z', '2025-10-02T15:00:00Z'),
          encounter(id, 'er2', 'EMER', '2025-12-24T10:00:00Z', '2025-12-24T15:00:00Z'),
          encounter(id, 'er-old', 'EMER', '2025-08-02T10:00:00Z', '2025-08-02T15:00:00Z'),
          named(id, 'copd', '13645005', 'Chronic obstructive lung disease'),
          named(id, 'diabetes', '44054006', 'Diabetes mellitus type 2'),
        ],
        { acuteAdmission: true },
      );
      const inputs = readInputs(answer);
      expect(['lengthOfStay', 'comorbidity', 'emergencyVisits'].map((name) => inputs.get(name)?.value)).toEqual([
        7, 3, 2,
      ]);
      // 5 for seven days, 3 for acute, 3 for comorbidity, 2 for visits
      expect(readScores(answer).get('lace')).toMatchObject({ value: 13, level: 'high' });
    });

    it('of diabetes with organ damage and chronic kidney disease only the heavier form counts', async () => {
      const id = 'lace-forms';
      const answer = await discharge(
        'lace',
        id,
        [
          named(id, 'diabetes', '44054006', 'Diabetes mellitus type 2'),
          named(id, 'retina', '4855003', 'Retinopathy due to diabetes mellitus'),
          named(id, 'kidney', '433146000', 'Chronic kidney disease stage 5'),
        ],
        { acuteAdmission: false },
      );
      expect(readInputs(answer).get('comorbidity')?.value).toBe(6);
    });

    it('HOSPITAL takes the last hemoglobin and sodium before discharge, not later ones, and the admissions before this one', async () => {
      const id = 'hospital';
      const answer = await discharge(
        'hospital',
        id,
        [
          laboratoryResult(id, 'hb-early', '718-7', 13.1, 'g/dL', '2026-03-05T07:00:00Z'),
          laboratoryResult(id, 'hb-last', '718-7', 11.4, 'g/dL', '2026-03-10T07:00:00Z'),
          laboratoryResult(id, 'sodium', '2951-2', 139, 'mmol/L', '2026-03-10T07:00:00Z'),
          encounter(id, 'before1', 'IMP', '2025-07-04T10:00:00Z', '2025-07-06T10:00:00Z'),
          encounter(id, 'before2', 'IMP', '2025-11-04T10:00:00Z', '2025-11-06T10:00:00Z'),
          encounter(id, 'too-old', 'IMP', '2024-11-04T10:00:00Z', '2024-11-06T10:00:00Z'),
        ],
        { oncologyService: false, urgentAdmission: true },
      );
      const inputs = readInputs(answer);
      expect(inputs.get('hemoglobin')).toMatchObject({ state: 'observed', value: 11.4 });
      expect(inputs.get('admissionsBefore')).toMatchObject({ value: 2 });
      expect(inputs.get('procedureDuringStay')).toMatchObject({ state: 'assumed-absent', value: false });
      // 1 for hemoglobin, 1 urgent, 2 for two admissions, 2 for seven days
      expect(readScores(answer).get('hospital')).toMatchObject({ value: 6, level: 'intermediate' });
    });

    it('without the encounter there is no length of stay, and no score', async () => {
      const id = 'no-encounter';
      const answer = await predict('lace', id, [stay(id)]);
      expect(said(readScores(answer).get('lace'))).toContain('lengthOfStay:no-encounter');
    });
  });
});
