import type { Extension, RiskAssessment } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import type { Scale } from '../../src/explanation/contribution.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { inputColumns } from '../../src/model-catalog/model-tensors.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { assertResultValid } from '../../src/results/assert-result-valid.ts';
import { resultValidUntil } from '../../src/results/build-result.ts';
import { extensionUrls } from '../../src/results/canonical-urls.ts';
import { resultIdentifier } from '../../src/results/result-identifier.ts';
import type { ResultResource } from '../../src/results/result-resource.ts';
import { checkResource } from '../support/checked/check-resource.ts';
import { readImage } from '../support/image-map.ts';
import { buildRisk, resultRequest, source } from '../support/result-request.ts';

function refuseFaults(resource: ResultResource): void {
  expect(checkResource(resource)).toEqual([]);
}

function inputOf(result: RiskAssessment, name: string): Extension[] {
  const input = result.extension?.find(
    ({ url, extension }) => url === extensionUrls.input && extension?.[0]?.valueString === name,
  );
  if (input?.extension === undefined) throw new Error(`no input ${name}`);
  return input.extension;
}

const part = (parts: Extension[], url: string) => parts.find((candidate) => candidate.url === url);

test('RA-1 the result is valid base R4, also by a checker that shares no code with the product', () => {
  const result = buildRisk(resultRequest({ encounter: 'e1' }));
  expect(checkResource(result)).toEqual([]);
  expect(() => assertResultValid(result, refuseFaults)).not.toThrow();
});

test('AIT-1 RA-4 the result is labelled as made by AI, preliminary, by the Device of the model version', () => {
  const request = resultRequest();
  const result = buildRisk(request);
  expect(result).toMatchObject({
    meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'AIAST' }] },
    identifier: [{ system: 'https://fhirsight.org/fhir/NamingSystem/prediction', value: resultIdentifier(request) }],
    status: 'preliminary',
    method: { text: 'Test model (test-model 1.2.3)' },
    performer: { reference: expect.stringMatching(/^Device\/model-test-model-1\.2\.3-ab12cd34ef56-[0-9a-f]{8}$/) },
    occurrenceDateTime: '2026-03-01T10:00:12.345+01:00',
    subject: { reference: 'Patient/17' },
  });
  expect(result.id).toBeUndefined();
  expect(result.encounter).toBeUndefined();
});

test('RA-6 a result of a demonstration model is marked as test data and says first that it is for no patient', () => {
  const result = buildRisk(resultRequest({ manifest: { demonstration: true } }));
  expect(result.meta?.security?.map(({ code }) => code)).toEqual(['AIAST', 'HTEST']);
  expect(result.note?.[1]?.text).toBe('Demonstration model, not for clinical use.');
  expect(result.text?.div).toContain('<li>Demonstration model, not for clinical use.</li>');
});

test('a subject and an encounter of another server are named by their absolute address', () => {
  const subject = { tenant: 'default', base: 'https://ehr.example/fhir', id: '17', own: false };
  const result = buildRisk(resultRequest({ subject, encounter: 'e1' }));
  expect(result.subject.reference).toBe('https://ehr.example/fhir/Patient/17');
  expect(result.encounter?.reference).toBe('https://ehr.example/fhir/Encounter/e1');
  expect(buildRisk(resultRequest({ encounter: 'e1' })).encounter?.reference).toBe('Encounter/e1');
});

test('RA-4 a feature may rest on more sources than a function takes arguments', () => {
  const sources = Array.from({ length: 200_000 }, (_, index) => source(`Condition/c${index}`));
  const request = resultRequest();
  const features = new Map([...request.inputs.features].map(([name, value]) => [name, { ...value, sources }]));
  const { basis } = buildRisk({ ...request, inputs: { ...request.inputs, features } });
  expect(basis?.at(-1)).toEqual({ reference: 'Condition/c199999' });
});

test('RA-4 basis holds every source once, with its version, and a display where there is nothing to refer to', () => {
  expect(buildRisk(resultRequest()).basis).toEqual([
    { reference: 'Patient/17/_history/2' },
    { reference: 'Observation/bp/_history/1' },
    { reference: 'Observation/tc/_history/3' },
    { reference: 'Observation/tc2/_history/1' },
    { reference: 'Observation/cr/_history/1' },
    { reference: 'Encounter/e1/_history/1' },
    { display: 'Condition sent without an id' },
  ]);
});

test('RA-2 RA-2a RA-3 RA-5 one prediction per eligible outcome, as a percentage said twice, with band and period', () => {
  const result = buildRisk(resultRequest());
  expect(result.prediction).toEqual([
    {
      extension: [
        { url: extensionUrls.outcomeId, valueCode: 'ascvd-10y' },
        {
          url: extensionUrls.percent,
          valueQuantity: { value: 14.7, unit: '%', system: 'http://unitsofmeasure.org', code: '%' },
        },
      ],
      outcome: {
        coding: [{ system: 'http://snomed.info/sct', code: '49601007', display: 'Disorder of cardiovascular system' }],
        text: 'Atherosclerotic cardiovascular disease',
      },
      probabilityDecimal: 14.7,
      qualitativeRisk: {
        coding: [
          {
            system: 'https://fhirsight.org/fhir/CodeSystem/band-test-model-ascvd-10y',
            version: '1.2.3',
            code: 'intermediate',
            display: 'intermediate risk',
          },
          { system: 'http://terminology.hl7.org/CodeSystem/risk-probability', code: 'moderate' },
        ],
        text: 'intermediate risk',
      },
      whenPeriod: { start: '2026-03-01T10:00:00+01:00', end: '2036-03-01T10:00:00+01:00' },
      rationale:
        '14.7 % (147 in 1,000) over 10 years. Band: intermediate risk, 7.5 % to below 20 % (ACC/AHA 2019, doi:10.1161/CIR.0000000000000678). Largest contributions against the reference person of the model: Age 61 years +5.30 percentage points.',
    },
  ]);
});

test('RA-5 the band comes from the unrounded probability', () => {
  const { prediction } = buildRisk(resultRequest({ scores: new Map([['ascvd-10y', 0.0749999]]) }));
  expect(prediction?.[0]?.qualitativeRisk?.text).toBe('borderline risk');
  expect(prediction?.[0]?.rationale).toContain('7.49999 % (749,999 in 10,000,000) over 10 years');
});

test('an outcome the model abstained about has a verdict and reasons and no number', () => {
  const result = buildRisk(resultRequest());
  expect(result.extension?.filter(({ url }) => url === extensionUrls.abstention)).toEqual([
    {
      url: extensionUrls.abstention,
      extension: [
        { url: 'outcome', valueCode: 'hf-30y' },
        { url: 'label', valueString: 'Heart failure' },
        { url: 'verdict', valueCode: 'not-eligible' },
        { url: 'reason', valueString: 'age' },
        { url: 'detail', valueString: 'age 61 is outside 30 to 59' },
      ],
    },
  ]);
  expect(result.prediction).toHaveLength(1);
  expect(JSON.stringify(result)).not.toMatch(/\b(0\.)?33\b/);
});

test('every feature of the map is an input with its state, value, unit, time and sources', () => {
  const result = buildRisk(resultRequest());
  const names = result.extension
    ?.filter(({ url }) => url === extensionUrls.input)
    .map(({ extension }) => extension?.[0]?.valueString);
  expect(names).toEqual([
    'age',
    'systolicBloodPressure',
    'totalCholesterol',
    'egfr',
    'sex',
    'statin',
    'creatinine',
    'priorCvd',
  ]);
  const pressure = inputOf(result, 'systolicBloodPressure');
  expect(part(pressure, 'value')?.valueQuantity).toEqual({
    value: 141,
    unit: 'mmHg',
    system: 'http://unitsofmeasure.org',
    code: 'mm[Hg]',
  });
  expect(part(pressure, 'at')?.valueDateTime).toBe('2026-02-28T09:30:00+01:00');
  expect(part(pressure, 'source')?.valueReference).toEqual({ reference: 'Observation/bp/_history/1' });
  const cholesterol = inputOf(result, 'totalCholesterol');
  expect(part(cholesterol, 'original')?.valueQuantity).toEqual({ value: 5.51, unit: 'mmol/L' });
  expect(cholesterol.filter(({ url }) => url === 'source')).toHaveLength(2);
  expect(part(inputOf(result, 'sex'), 'value')?.valueCode).toBe('female');
  expect(
    inputOf(result, 'egfr')
      .filter(({ url }) => url === 'from')
      .map(({ valueString }) => valueString),
  ).toEqual(['creatinine', 'age', 'sex']);
  expect(part(inputOf(result, 'statin'), 'state')?.valueCode).toBe('assumed-absent');
  expect(part(inputOf(result, 'statin'), 'value')?.valueBoolean).toBe(false);
  const prior = inputOf(result, 'priorCvd');
  expect(part(prior, 'value')).toBeUndefined();
  expect(part(prior, 'reason')?.valueCode).toBe('undecodable');
});

test('a limit, a summary and a source that was passed over are shown as what they are', () => {
  const request = resultRequest();
  const features = new Map(request.inputs.features);
  const sources = features.get('systolicBloodPressure')?.sources ?? [];
  const at = '2026-02-28T09:30:00+01:00';
  const original = { value: 3, unit: 'mg/mmol', comparator: '<' as const };
  features.set('totalCholesterol', { state: 'observed', value: 26.52, at, sources, original });
  features.set('systolicBloodPressure', { state: 'derived', value: 141, at, from: [], sources });
  features.set('egfr', {
    state: 'derived',
    value: 60,
    at,
    from: ['older'],
    detail: 'passed over newer (not-found)',
    sources,
  });
  const result = buildRisk({ ...request, inputs: { ...request.inputs, features } });
  expect(() => assertResultValid(result, refuseFaults)).not.toThrow();
  expect(part(inputOf(result, 'totalCholesterol'), 'original')?.valueQuantity).toEqual(original);
  expect(part(inputOf(result, 'systolicBloodPressure'), 'from')).toBeUndefined();
  expect(part(inputOf(result, 'egfr'), 'detail')?.valueString).toBe('passed over newer (not-found)');
  expect(result.text?.div).toContain('<td>observed, given as &lt;3 mg/mmol</td>');
  expect(result.text?.div).toContain('<td>derived</td>');
  expect(result.text?.div).toContain('<td>derived from older</td>');
});

test('an imputed value is shown as one, with its reason and where it comes from', () => {
  const request = resultRequest();
  const features = new Map(request.inputs.features);
  const detail = 'no Total cholesterol within 5 years before as-of; imputed: median of the training set';
  features.set('totalCholesterol', { state: 'imputed', value: 190, because: 'not-found', detail, sources: [] });
  const result = buildRisk({ ...request, inputs: { ...request.inputs, features } });
  expect(() => assertResultValid(result, refuseFaults)).not.toThrow();
  const input = inputOf(result, 'totalCholesterol');
  expect(part(input, 'state')?.valueCode).toBe('imputed');
  expect(part(input, 'value')?.valueQuantity?.value).toBe(190);
  expect(part(input, 'reason')?.valueCode).toBe('not-found');
  expect(part(input, 'detail')?.valueString).toBe(detail);
  expect(result.text?.div).toContain('<td>imputed: not-found</td>');
  expect(result.note?.map(({ text }) => text)).toContain(`Imputed: Total cholesterol (${detail}).`);
});

test('a value that is missing on purpose stays missing, and every part of the result says that the model was given that', () => {
  const request = resultRequest();
  const features = new Map(request.inputs.features);
  const detail = 'no Total cholesterol within 5 years before as-of; given to the model as missing: the publication';
  const given = { as: 'indicator', value: 1 } as const;
  features.set('totalCholesterol', { state: 'missing', because: 'not-found', detail, given, sources: [] });
  const result = buildRisk({ ...request, inputs: { ...request.inputs, features } });
  expect(() => assertResultValid(result, refuseFaults)).not.toThrow();
  const input = inputOf(result, 'totalCholesterol');
  expect(part(input, 'state')?.valueCode).toBe('missing');
  expect(part(input, 'value')).toBeUndefined();
  expect(part(input, 'detail')?.valueString).toBe(detail);
  expect(result.text?.div).toContain('<td>missing: not-found, given to the model as missing</td>');
  expect(result.note?.map(({ text }) => text)).toContain(`Missing: Total cholesterol (${detail}).`);
});

test('a value that the model was given clipped is said to be, and shown as it was', () => {
  const request = resultRequest();
  const { tensors } = request.model.manifest;
  const columns = inputColumns(request.model.manifest).map((column) =>
    column.feature === 'systolicBloodPressure'
      ? { ...column, transform: [{ clip: [90, 130] as [number, number] }] }
      : column,
  );
  const input = { name: 'x', type: 'float64' as const, columns };
  const manifest = { ...request.model.manifest, tensors: { ...tensors, input } };
  const result = buildRisk({ ...request, model: { ...request.model, manifest } });
  const clipped = 'Clipped: Systolic blood pressure; the model was given 130 mmHg.';
  expect(result.note?.map(({ text }) => text)).toContain(clipped);
  expect(part(inputOf(result, 'systolicBloodPressure'), 'value')?.valueQuantity?.value).toBe(141);
  expect(buildRisk(request).note?.map(({ text }) => text)).not.toContain(clipped);
});

test.each([9e-12, 3e21])(
  'an original of %s, which JSON writes with an exponent, is left out and does not cost the prediction',
  (value) => {
    const request = resultRequest();
    const features = new Map(request.inputs.features);
    const cholesterol = features.get('totalCholesterol');
    if (cholesterol?.state !== 'observed') throw new Error('no cholesterol');
    features.set('totalCholesterol', { ...cholesterol, original: { value, unit: 'kg/uL' } });
    const result = buildRisk({ ...request, inputs: { ...request.inputs, features } });
    expect(() => assertResultValid(result, refuseFaults)).not.toThrow();
    const parts = inputOf(result, 'totalCholesterol');
    expect(part(parts, 'original')).toBeUndefined();
    expect(part(parts, 'value')?.valueQuantity?.value).toBe(213.0023);
  },
);

test('a contribution is a difference in percentage points, for eligible outcomes only, and noise is 0', () => {
  const result = buildRisk(resultRequest());
  const contributions = (name: string) => inputOf(result, name).filter(({ url }) => url === 'contribution');
  expect(contributions('age')).toEqual([
    {
      url: 'contribution',
      extension: [
        { url: 'outcome', valueCode: 'ascvd-10y' },
        {
          url: 'difference',
          valueQuantity: { value: 5.3, unit: 'percentage points', system: 'http://unitsofmeasure.org', code: '%' },
        },
      ],
    },
  ]);
  expect(contributions('systolicBloodPressure')[0]?.extension?.[1]?.valueQuantity?.value).toBe(0);
});

const bareFraction = /(?<![\d.,])0\.\d+(?!\d*\.?\d* ?(%|[a-zA-Zµ]))/;

/** Paths of decimals between 0 and 1 that a reader could take for a fraction of 1. */
function bareFractions(value: unknown, path: string, parent?: object): string[] {
  if (typeof value === 'string') return bareFraction.test(value) ? [`${path}: ${value}`] : [];
  if (typeof value === 'number') {
    if (value <= 0 || value >= 1 || path.endsWith('.probabilityDecimal')) return [];
    return parent !== undefined && 'unit' in parent ? [] : [path];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => bareFractions(child, `${path}.${key}`, value));
}

test.each<[number, Scale]>([
  [0.147, 'score'],
  [0.147, 'log-odds'],
  [0.147, 'margin'],
  ...[0.008, 0.0749, 0.00042, 1e-7, 3e-10, 0, 1, 0.9999999].map((score): [number, Scale] => [score, 'score']),
])(
  'RA-2a no bare fraction and no exponent stand anywhere in the result of score %d with contributions in %s',
  (score, scale) => {
    const result = buildRisk(
      resultRequest({
        scores: new Map([['ascvd-10y', score]]),
        explanation: {
          contributions: [{ feature: 'age', outcome: 'ascvd-10y', difference: 0.0041, standardError: 0.0007 }],
          bases: [{ outcome: 'ascvd-10y', scale, base: 0.0765, residual: 1e-9 }],
        },
      }),
    );
    expect(bareFractions(result, 'RiskAssessment')).toEqual([]);
    expect(JSON.stringify(result)).not.toMatch(/[:[,]-?\d+(\.\d+)?e/i);
    expect(checkResource(result)).toEqual([]);
    expect(() => assertResultValid(result, refuseFaults)).not.toThrow();
  },
);

test('the search for bare fractions finds one in a number and in a text', () => {
  expect(bareFractions({ a: 0.37 }, 'x')).toEqual(['x.a']);
  expect(bareFractions({ a: 'raw score 0.372; top' }, 'x')).toHaveLength(1);
  expect(bareFractions({ a: 'risk 0.37.' }, 'x')).toHaveLength(1);
  expect(bareFractions({ a: '0.8 % over', b: { value: 0.9, unit: 'mg/dL' }, c: 10.5 }, 'x')).toEqual([]);
});

test('a risk too small to write without an exponent is a range that ends where digits end', () => {
  const [prediction] = buildRisk(resultRequest({ scores: new Map([['ascvd-10y', 3e-10]]) })).prediction ?? [];
  expect(prediction?.probabilityDecimal).toBeUndefined();
  expect(prediction?.probabilityRange?.high).toMatchObject({ value: 0.000001, code: '%' });
  expect(prediction?.extension?.[1]?.valueQuantity).toMatchObject({ comparator: '<', value: 0.000001, code: '%' });
  expect(prediction?.rationale).toContain('less than 0.000001 %');
  expect(prediction?.qualitativeRisk?.text).toBe('low risk');
});

test('the instant and the validity of the result are said', () => {
  const request = resultRequest();
  expect(resultValidUntil(request).toISOString()).toBe('2027-03-01T09:00:00.000Z');
  const result = buildRisk(request);
  const at = (url: string) => result.extension?.find((extension) => extension.url === url)?.valueDateTime;
  expect(at(extensionUrls.asOf)).toBe('2026-03-01T10:00:00+01:00');
  expect(at(extensionUrls.validUntil)).toBe('2027-03-01T10:00:00+01:00');
});

test('RA-6 notes and narrative say what was assumed, missing, withheld, superseded, and how contributions came about', () => {
  const manifest = { supersededBy: { model: 'prevent-base', because: 'recalibrated in 2023' } };
  const result = buildRisk(resultRequest({ manifest }));
  const notes = result.note?.map(({ text }) => text) ?? [];
  expect(notes).toEqual([
    'AI-generated, preliminary: not verified by a person.',
    'This model is superseded by prevent-base: recalibrated in 2023',
    'Assumed absent: Statin (no Statin in the complete record; last encounter within P1Y).',
    'Missing: Prior <cardiovascular> disease & "stroke" (a Condition has text only).',
    'Withheld: Heart failure, not-eligible: age 61 is outside 30 to 59.',
    expect.stringContaining('Contributions: occlusion against the reference person'),
  ]);
  const div = result.text?.div ?? '';
  expect(div).toContain('Test model (test-model 1.2.3)');
  expect(div).toContain('14.7 % (147 in 1,000) over 10 years, intermediate risk');
  expect(div).toContain('superseded by prevent-base');
  expect(div).toContain('<td>eGFR</td><td>77.25 mL/min/1.73 m²</td>');
  expect(div).toContain('Age: +5.30 percentage points');
});

test('a sequence is said to be measured in so many bins, and clipped in so many, never to be a number', () => {
  const clip = (bin: number, channel: 'value' | 'since') => ({
    feature: 'pulse',
    at: { bin, channel },
    transform: [{ clip: [50, 100] as [number, number] }],
  });
  const base = resultRequest();
  const columns = [clip(0, 'value'), clip(1, 'value'), clip(2, 'value')];
  const manifest = {
    tensors: { ...base.model.manifest.tensors, input: { name: 'x', type: 'float64' as const, columns } },
  };
  const pulse: FeatureValue = {
    state: 'derived',
    value: 2,
    from: [],
    detail: 'measured in 2 of 3 bins',
    steps: { value: [40, 70, 120], mask: [1, 0, 1], since: [0, 1, 0] },
    sources: [],
  };
  const features = { ...base.features, pulse: { label: 'Pulse over time' } };
  const inputs = { ...base.inputs, features: new Map(base.inputs.features).set('pulse', pulse) };
  const result = buildRisk(resultRequest({ manifest, features, inputs }));
  expect(result.text?.div).toContain('<td>Pulse over time</td><td>2 of 3 bins measured</td>');
  expect(result.note?.map(({ text }) => text)).toContain('Clipped: Pulse over time, in 2 of its bins.');
  const input = result.extension?.find(({ extension }) =>
    extension?.some(({ valueString }) => valueString === 'pulse'),
  );
  expect(input?.extension).toContainEqual({ url: 'detail', valueString: 'measured in 2 of 3 bins' });
});

test('a text is told by its length, and that it was cut, and its words stand nowhere in the result', () => {
  const base = resultRequest();
  const note: FeatureValue = {
    state: 'observed',
    value: 11,
    at: '2026-02-28T08:00:00Z',
    text: { content: 'Mrs Example', cutFrom: 40 },
    detail: 'cut to the first 11 of its 40 characters',
    sources: [{ reference: 'Observation/note/_history/1' }],
  };
  const features = { ...base.features, note: { label: 'Triage note', unit: '{character}' } };
  const inputs = { ...base.inputs, features: new Map(base.inputs.features).set('note', note) };
  const result = buildRisk(resultRequest({ features, inputs }));
  expect(JSON.stringify(result)).not.toContain('Example');
  expect(result.text?.div).toContain(
    '<td>Triage note</td><td>text of 11 characters</td><td>observed, cut from 40 characters</td><td>2026-02-28T08:00:00Z</td>',
  );
  expect(result.note?.map(({ text }) => text)).toContain(
    'Cut: Triage note (cut to the first 11 of its 40 characters).',
  );
  const input = result.extension?.find(({ extension }) => extension?.some(({ valueString }) => valueString === 'note'));
  expect(input?.extension).toContainEqual({
    url: 'value',
    valueQuantity: { value: 11, unit: 'characters', system: 'http://unitsofmeasure.org', code: '{character}' },
  });
});

test('DW-26: an image is told by how it was chosen and how many frames were read, and no pixel stands in the result', () => {
  const base = resultRequest();
  const features = { ...base.features, frontal: { label: 'Frontal radiograph', unit: '{frame}' } };
  const frontal = readImage([0.123456, 0.25, 0.5, 1]);
  const inputs = { ...base.inputs, features: new Map(base.inputs.features).set('frontal', frontal) };
  const result = buildRisk(resultRequest({ features, inputs }));
  const text = JSON.stringify(result);
  expect(text).not.toContain('0.123');
  expect(text).not.toContain(frontal.image?.digest);
  expect(result.text?.div).toContain('<td>Frontal radiograph</td><td>one image</td><td>observed</td>');
  expect(result.note?.map((note) => note.text)).toContain(
    'Image: Frontal radiograph (the only PA or AP image of the newest CR or DX study).',
  );
  expect(inputOf(result, 'frontal')).toContainEqual({
    url: 'value',
    valueQuantity: { value: 1, unit: 'frames', system: 'http://unitsofmeasure.org', code: '{frame}' },
  });
});

test('the narrative is well-formed XHTML, whatever markup or control characters labels and details hold', () => {
  const hostile = '<script>alert(1)</script> & "x" \u0000\u0008 \ud800 ]]> &amp;';
  const request = resultRequest({ features: { ...resultRequest().features, age: { label: hostile, unit: hostile } } });
  const div = buildRisk(request).text?.div ?? '';
  expect(div).not.toContain('<script');
  expect(div).toContain('&lt;script&gt;');
  expect(div).not.toMatch(/[\p{Cc}\p{Cs}]/u);
  expect(div.replace(/&(amp|lt|gt|quot);/g, '')).not.toContain('&');
  const open: string[] = [];
  for (const [, closing, name] of div.matchAll(/<(\/?)([a-z]+)(?: xmlns="[^"]*")?>/g)) {
    if (closing === '') open.push(name ?? '');
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
  expect(div.match(/</g)?.length).toBe([...div.matchAll(/<(\/?)([a-z]+)(?: xmlns="[^"]*")?>/g)].length);
});

test('asserted inputs are named as such, and a result without contributions says why', () => {
  const { inputs } = resultRequest();
  const features = new Map(inputs.features).set('age', { state: 'asserted', value: 50, sources: [] });
  const result = buildRisk(
    resultRequest({ inputs: { ...inputs, features }, explanation: { none: 'the explanation by occlusion failed' } }),
  );
  const notes = result.note?.map(({ text }) => text);
  expect(notes).toContain('What-if: asserted by the caller, not taken from the record: Age.');
  expect(notes).toContain('No contributions of inputs: the explanation by occlusion failed');
  expect(result.text?.div).toContain('No contributions of inputs: the explanation by occlusion failed');
  expect(part(inputOf(result, 'age'), 'state')?.valueCode).toBe('asserted');
  expect(inputOf(result, 'age').some(({ url }) => url === 'contribution' || url === 'source')).toBe(false);
});

test('inputs without any source leave no empty basis behind', () => {
  const { inputs } = resultRequest();
  const features = new Map([['age', { state: 'asserted', value: 50, sources: [] }] as const]);
  expect(buildRisk(resultRequest({ inputs: { ...inputs, features, basis: [] } }))).not.toHaveProperty('basis');
});

const broken = expect.objectContaining({ code: 'RESULT_INVALID' });

test.each([Number.NaN, -0.01, 1.01, Number.POSITIVE_INFINITY])('a score of %d is refused, never shown', (score) => {
  expect(() => buildRisk(resultRequest({ scores: new Map([['ascvd-10y', score]]) }))).toThrow(broken);
});

test('a missing score, an unknown feature and a result about nothing are refused', () => {
  const { inputs } = resultRequest();
  expect(() => buildRisk(resultRequest({ scores: new Map() }))).toThrow(broken);
  expect(() => buildRisk(resultRequest({ features: {} }))).toThrow(broken);
  expect(() => buildRisk(resultRequest({ inputs: { ...inputs, verdicts: new Map() } }))).toThrow(broken);
});

test('a result that the validator refuses, that holds an exponent or contradicts itself never leaves', () => {
  const result = buildRisk(resultRequest());
  const refuse = () => {
    throw new PredictionError('RESOURCE_INVALID', 'no');
  };
  expect(() => assertResultValid(result, refuse)).toThrow(broken);
  const { inputs } = resultRequest();
  const features = new Map(inputs.features).set('creatinine', { state: 'asserted', value: 1e-9, sources: [] });
  const tiny = buildRisk(resultRequest({ inputs: { ...inputs, features } }));
  expect(() => assertResultValid(tiny, () => undefined)).toThrow(broken);
  const prediction = (result.prediction ?? []).map((one) => ({ ...one, probabilityDecimal: 0.147 }));
  expect(() => assertResultValid({ ...result, prediction }, () => undefined)).toThrow(broken);
});
