import type { DiagnosticReport, Observation } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAssertedInputs } from '../../src/features/asserted-input.ts';
import { compileFeatureMap } from '../../src/features/compile-feature-map.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { inputRow } from '../../src/inference/score.ts';
import { assertedInputsSchema } from '../../src/model-catalog/asserted-inputs-schema.ts';
import { bulkExport } from '../../src/model-catalog/bulk-export.ts';
import { checkFeatureMap } from '../../src/model-catalog/check-feature-map.ts';
import { checkColumns } from '../../src/model-catalog/check-manifest.ts';
import type { FeatureDefinition, FeatureMap, TextDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import { featureTable } from '../../src/model-catalog/feature-table.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { prefetchTemplates } from '../../src/model-catalog/prefetch-templates.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { smartScopes } from '../../src/model-catalog/smart-scopes.ts';
import { observation } from '../support/build-record.ts';
import { extractAll, extractOne, noPopulation } from '../support/extract-one.ts';

const note = (parts: Partial<TextDefinition> = {}): TextDefinition => ({
  kind: 'text',
  label: 'Triage note',
  codes: ['http://loinc.org|54094-8'],
  window: 'P1D',
  pick: 'latest',
  normalise: 'trim-and-collapse',
  maxLength: 40,
  missing: 'abstain',
  ...parts,
});
/** As-of is 2026-03-01T12:00:00Z. */
const noted = (parts: Partial<Observation>, at = '2026-03-01T08:00:00Z') =>
  observation('54094-8', undefined, at, parts);
const says = (valueString: string, at?: string, parts: Partial<Observation> = {}) =>
  noted({ valueString, ...parts }, at);
const contentOf = (value: FeatureValue): unknown =>
  'because' in value ? value.because : value.state === 'observed' ? value.text?.content : undefined;
const read = (valueString: string, parts: Partial<TextDefinition> = {}) => extractOne(note(parts), [says(valueString)]);

describe('a text', () => {
  it('is the newest triage note of the window, with its time and its source', () => {
    const found = extractOne(note(), [
      says('Chest pain', '2026-03-01T08:00:00Z'),
      says('Short of breath', '2026-03-01T09:00:00Z'),
      says('Fell at home', '2026-02-27T09:00:00Z'),
    ]);
    expect(found).toMatchObject({
      state: 'observed',
      value: 15,
      text: { content: 'Short of breath' },
      at: '2026-03-01T09:00:00Z',
      sources: [{ reference: expect.stringContaining('Observation/') }],
    });
  });

  it('is the oldest of the window where the map says so', () => {
    const two = [says('Chest pain', '2026-03-01T08:00:00Z'), says('Short of breath', '2026-03-01T09:00:00Z')];
    expect(contentOf(extractOne(note({ pick: 'earliest' }), two))).toBe('Chest pain');
  });

  it.each([
    ['two texts of one time', [says('Chest pain'), says('No chest pain')]],
    [
      'two texts of one day, one of them without a time',
      [says('Chest pain', '2026-03-01'), says('No chest pain', '2026-03-01T10:00:00Z')],
    ],
    [
      'texts that differ only behind the cut',
      [says(`${'a'.repeat(40)} but no fever`), says(`${'a'.repeat(40)} and fever`)],
    ],
  ])('is a conflict where there are %s, and nobody picks one', (_, resources) => {
    for (const each of [resources, resources.toReversed()])
      expect(extractOne(note({ longer: 'cut' }), each)).toMatchObject({ state: 'missing', because: 'conflict' });
  });

  it('is no conflict where two of one time differ only by what is normalised', () => {
    const two = [says('Chest  pain, caf\u00e9\n'), says('Chest pain, cafe\u0301')];
    expect(contentOf(extractOne(note(), two))).toBe('Chest pain, caf\u00e9');
    expect(contentOf(extractOne(note({ normalise: 'none' }), two))).toBe('conflict');
  });

  it.each([
    ['preliminary', { status: 'preliminary' }],
    ['entered in error', { status: 'entered-in-error' }],
    ['cancelled', { status: 'cancelled' }],
    ['about somebody else', { focus: [{ reference: 'Patient/2' }] }],
    ['issued after as-of', { issued: '2026-03-01T12:00:01Z' }],
  ] satisfies [string, Partial<Observation>][])('does not see a note that is %s', (_, parts) => {
    const newer = says('Never said', '2026-03-01T11:00:00Z', parts);
    expect(contentOf(extractOne(note(), [says('Chest pain'), newer]))).toBe('Chest pain');
    expect(extractOne(note(), [newer])).toMatchObject({ because: 'not-found' });
  });

  it('does not see what was written after as-of, whatever the zone of the site or of the note', () => {
    expect(contentOf(extractOne(note(), [says('Later', '2026-03-01T12:00:01Z')]))).toBe('not-found');
    expect(contentOf(extractOne(note(), [says('In time', '2026-03-01T13:30:00+02:00')]))).toBe('In time');
    const dayAfter = says('Which day', '2026-03-02');
    const asOf = '2026-03-01T16:00:00Z';
    expect(contentOf(extractOne(note(), [dayAfter], { asOf, timeZone: 'Asia/Tokyo' }))).toBe('Which day');
    expect(contentOf(extractOne(note(), [dayAfter], { asOf, timeZone: 'UTC' }))).toBe('not-found');
  });

  it('is of an unknown time where a note without one may be the newest', () => {
    const { effectiveDateTime: _, ...untimed } = says('When?');
    expect(extractOne(note(), [says('Chest pain'), untimed])).toMatchObject({ because: 'time-unknown' });
  });

  it.each([
    ['a quantity', { valueQuantity: { value: 3, unit: 'mg' } }],
    ['a boolean', { valueBoolean: true }],
    ['an integer', { valueInteger: 3 }],
    ['a coded answer', { valueCodeableConcept: { text: 'Chest pain' } }],
    ['two values', { valueString: 'Chest pain', valueBoolean: true }],
    ['a text and a reason why there is none', { valueString: 'Chest pain', dataAbsentReason: { text: 'asleep' } }],
    ['an unknown modifier', { valueString: 'Chest pain', modifierExtension: [{ url: 'http://not' }] }],
    ['nothing but an extension', { _valueString: { extension: [{ url: 'http://x', valueString: 'masked' }] } }],
    ['no character', { valueString: '' }],
    ['white space', { valueString: ' \n\t ' }],
    ['characters that nobody sees', { valueString: '\u200b\ufeff\u00a0\u2060' }],
    ['HTML', { valueString: '<div>Chest pain</div>' }],
    ['a line break of HTML', { valueString: 'Chest pain<br/>since noon' }],
    ['a tag with an attribute', { valueString: '<span class="bold">Chest pain</span>' }],
    ['an entity', { valueString: 'pain &amp; fever' }],
    ['a numeric entity', { valueString: 'it&#39;s better' }],
    ['a comment of HTML', { valueString: 'pain <!-- not shown -->' }],
    ['RTF', { valueString: '{\\rtf1\\ansi Chest pain}' }],
    ['a NUL', { valueString: 'Chest\u0000pain' }],
    ['an escape', { valueString: 'Chest \u001b[31mpain' }],
    ['a control character of Latin-1', { valueString: 'it\u0092s better' }],
    ['a character that was lost', { valueString: 'caf\ufffd' }],
    ['an entity of a letter', { valueString: '&eacute;tat' }],
    ['the end of a tag of Word', { valueString: 'pain <o:p></o:p>' }],
    ['a tag with an attribute without a value', { valueString: '<p class>pain' }],
    ['a section of CDATA', { valueString: '<![CDATA[pain]]>' }],
    ['fillers that nobody sees', { valueString: '\u3164\u2800\u034f' }],
    ['more marks on a letter than any language has', { valueString: `a${'\u0301\u0323'.repeat(20)}` }],
    ['half an emoji', { valueString: 'pain \ud83d' }],
  ] as [string, object][])('is undecodable where the newest note holds %s, and no older one is taken', (_, parts) => {
    const older = says('Older', '2026-03-01T07:00:00Z');
    const found = extractOne(note(), [older, noted(parts)]);
    expect(found).toMatchObject({ state: 'missing', because: 'undecodable' });
  });

  it.each(['SpO2 <90%, HR >100', 'a < b and b > c', 'BP <NAME> 120', 'p<0.05', 'A&E', 'pain 7/10; R&D', 'tab\there'])(
    'takes what only looks like markup for the text that it is: %s',
    (given) => {
      expect(contentOf(read(given, { normalise: 'none' }))).toBe(given);
    },
  );

  it('passes over a note that was not taken', () => {
    const notAsked = noted({ dataAbsentReason: { text: 'not asked' } }, '2026-03-01T09:00:00Z');
    expect(contentOf(extractOne(note(), [says('Chest pain'), notAsked]))).toBe('Chest pain');
    expect(extractOne(note(), [notAsked])).toMatchObject({ because: 'not-found' });
  });

  it('reads the text of a coded answer only where the map says so, and never its display', () => {
    const coded = noted({ valueCodeableConcept: { text: 'Chest pain', coding: [{ display: 'Pain' }] } });
    expect(contentOf(extractOne(note({ codedAnswers: 'text' }), [coded]))).toBe('Chest pain');
    const shown = noted({ valueCodeableConcept: { coding: [{ display: 'Pain' }] } });
    expect(contentOf(extractOne(note({ codedAnswers: 'text' }), [shown]))).toBe('undecodable');
  });

  it('reads a component of a panel', () => {
    const component = { panels: ['http://loinc.org|11283-9'], codes: ['http://loinc.org|54094-8'] };
    const panel = observation('11283-9', undefined, '2026-03-01T08:00:00Z', {
      component: [
        { code: { coding: [{ system: 'http://loinc.org', code: '54094-8' }] }, valueString: 'Chest pain' },
        { code: { coding: [{ system: 'http://loinc.org', code: '1-8' }] }, valueString: 'Another part' },
      ],
    });
    expect(contentOf(extractOne(note({ component }), [panel]))).toBe('Chest pain');
  });
});

describe('the characters of a text', () => {
  it('stay as they are but for their Unicode form, or lose white space as the map says', () => {
    const given = '  Chest pain\r\n\tsince\u00a0noon, cafe\u0301 ';
    expect(contentOf(read(given, { normalise: 'none' }))).toBe('  Chest pain\r\n\tsince\u00a0noon, caf\u00e9 ');
    expect(contentOf(read(given))).toBe('Chest pain since noon, caf\u00e9');
  });

  it('are too many where they are more than the map reads, and the model is not given a part unasked', () => {
    expect(contentOf(read('a'.repeat(40)))).toBe('a'.repeat(40));
    expect(read('a'.repeat(41))).toMatchObject({
      state: 'missing',
      because: 'too-long',
      detail: 'Triage note has 41 characters, more than 40',
    });
    expect(contentOf(read(`${'a'.repeat(20)}${' '.repeat(40)}b`))).toBe(`${'a'.repeat(20)} b`);
  });

  it('are cut where the map says so, and the value says that they were', () => {
    expect(read('b'.repeat(41), { longer: 'cut' })).toMatchObject({
      state: 'observed',
      value: 40,
      text: { content: 'b'.repeat(40), cutFrom: 41 },
      detail: 'cut to the first 40 of its 41 characters',
    });
    expect(read('b'.repeat(40), { longer: 'cut' })).not.toHaveProperty('detail');
  });

  it('are counted and cut as code points, never through the middle of one', () => {
    const found = read('\u{1f642}'.repeat(41), { longer: 'cut' });
    expect(found).toMatchObject({ value: 40, text: { content: '\u{1f642}'.repeat(40), cutFrom: 41 } });
  });

  it('are the same when they are read again, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (given) => {
        const once = read(given, { maxLength: 1_000_000 });
        if (once.state !== 'observed' || once.text === undefined) {
          expect(once).toMatchObject({ because: 'undecodable' });
          return;
        }
        expect(contentOf(read(once.text.content))).toBe(once.text.content);
        expect(once.text.content.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('are judged in little time, however long and strange the text is', () => {
    const started = performance.now();
    for (const unit of ['<b ', '<p a=', '</p ', ' \n', '&#1', '\u0301', '\u0301\u0323', '<!', '{\\rt'])
      read(unit.repeat(330_000), { maxLength: 1_000_000 });
    for (const begun of ['<a x=', '<a ', '</a', '&#']) read(begun + ' '.repeat(1_000_000), { maxLength: 2_000_000 });
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('never stand in the reason why there is no text', () => {
    const secret = 'Mrs Example';
    const readings = [
      read(`<p>${secret}</p>`),
      read(secret, { maxLength: 3 }),
      read(`${secret}\u0000`),
      extractOne(note(), [says(secret), says('other')]),
      read(`${secret} and more`, { maxLength: 3, longer: 'cut' }),
    ];
    for (const reading of readings) {
      expect('detail' in reading && reading.detail).toEqual(expect.any(String));
      expect(JSON.stringify('detail' in reading ? reading.detail : '')).not.toContain(secret);
    }
  });
});

describe('the conclusion of a report', () => {
  const radiograph = note({ label: 'Radiograph', from: 'report', codes: ['http://loinc.org|36643-5'] });
  let reports = 0;
  const report = (
    conclusion: string | undefined,
    at: string,
    parts: Partial<DiagnosticReport> = {},
  ): DiagnosticReport => ({
    resourceType: 'DiagnosticReport',
    id: `report-${++reports}`,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '36643-5' }] },
    subject: { reference: 'Patient/1' },
    effectiveDateTime: at,
    ...(conclusion === undefined ? {} : { conclusion }),
    ...parts,
  });
  const older = report('No infiltrate', '2026-03-01T07:00:00Z');
  const aiAsserted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'AIAST' };

  it('DR-1: is that of a report of a model that a person confirmed, and of one that people amended', () => {
    for (const parts of [
      { status: 'final', meta: { security: [aiAsserted] }, resultsInterpreter: [{ reference: 'Practitioner/17' }] },
      { status: 'amended' },
    ] as const) {
      const newer = report('Pneumonia', '2026-03-01T09:00:00Z', JSON.parse(JSON.stringify(parts)));
      expect(contentOf(extractOne(radiograph, [older, newer]))).toBe('Pneumonia');
    }
  });

  it('is that of the newest report with one of the codes, or of the oldest', () => {
    const others = [
      report('Pneumonia', '2026-03-01T09:00:00Z', { status: 'appended' }),
      report('Of the brain', '2026-03-01T10:00:00Z', {
        code: { coding: [{ system: 'http://loinc.org', code: '1-8' }] },
      }),
      report('Too old', '2026-02-20T09:00:00Z'),
    ];
    expect(extractOne(radiograph, [older, ...others])).toMatchObject({
      value: 9,
      text: { content: 'Pneumonia' },
      at: '2026-03-01T09:00:00Z',
      sources: [{ reference: expect.stringContaining('DiagnosticReport/report-') }],
    });
    expect(contentOf(extractOne({ ...radiograph, pick: 'earliest' }, [older, ...others]))).toBe('No infiltrate');
    expect(extractOne(radiograph, [])).toMatchObject({ because: 'not-found' });
    expect(extractOne(radiograph, [says('No report', undefined, { code: older.code })])).toMatchObject({
      because: 'not-found',
    });
  });

  it.each([
    ['preliminary', { status: 'preliminary' }],
    ['partial', { status: 'partial' }],
    ['entered in error', { status: 'entered-in-error' }],
    ['of a model, amended and read by nobody since', { status: 'amended', meta: { security: [aiAsserted] } }],
    ['issued after as-of', { issued: '2026-03-01T12:00:01Z' }],
    ['about a time after as-of', { effectiveDateTime: '2026-03-01T12:00:01Z' }],
    ['without a word', { conclusion: undefined }],
  ] as [string, Partial<DiagnosticReport>][])('is not that of a report that is %s', (_, parts) => {
    const newer = JSON.parse(JSON.stringify(report('Never said', '2026-03-01T09:00:00Z', parts)));
    expect(contentOf(extractOne(radiograph, [older, newer]))).toBe('No infiltrate');
  });

  it.each([
    ['is empty', { conclusion: ' ' }],
    ['is HTML', { conclusion: '<p>Pneumonia</p>' }],
    ['stands in a document', { conclusion: undefined, presentedForm: [{ contentType: 'application/pdf' }] }],
    ['is a code alone', { conclusion: undefined, conclusionCode: [{ text: 'Pneumonia' }] }],
    ['carries an unknown modifier', { conclusion: 'Pneumonia', modifierExtension: [{ url: 'http://not' }] }],
  ] as [string, Partial<DiagnosticReport>][])('is undecodable where that of the newest %s', (_, parts) => {
    const newer = JSON.parse(JSON.stringify(report('', '2026-03-01T09:00:00Z', parts)));
    expect(extractOne(radiograph, [older, newer])).toMatchObject({ because: 'undecodable' });
  });

  it('is of an unknown time where a report without one may be the newest, and was issued in time', () => {
    const { effectiveDateTime: _, ...untimed } = report('When?', '');
    expect(extractOne(radiograph, [older, untimed])).toMatchObject({ because: 'time-unknown' });
    const early = { ...untimed, issued: '2026-03-01T06:00:00Z' };
    expect(contentOf(extractOne(radiograph, [older, early]))).toBe('No infiltrate');
    const period = { ...untimed, effectivePeriod: { start: '2026-03-01T08:00:00Z', end: '2026-03-01T08:30:00Z' } };
    expect(contentOf(extractOne(radiograph, [older, period]))).toBe('When?');
  });

  it('is a conflict where two reports of one time say different things, and is cut as every text is', () => {
    const two = [older, report('Infiltrate', '2026-03-01T07:00:00Z')];
    expect(extractOne(radiograph, two)).toMatchObject({ because: 'conflict' });
    expect(extractOne({ ...radiograph, maxLength: 2, longer: 'cut' }, [older])).toMatchObject({
      text: { content: 'No', cutFrom: 13 },
    });
  });

  it('is searched by its codes, apart from Observations', () => {
    const map = { language: 1, features: { note: note(), radiograph }, population: noPopulation } as const;
    expect(prefetchTemplates(map, [])).toEqual({
      patient: 'Patient/{{context.patientId}}',
      observations: 'Observation?patient={{context.patientId}}&code=http://loinc.org|54094-8',
      diagnosticReports: 'DiagnosticReport?patient={{context.patientId}}&code=http://loinc.org|36643-5',
    });
    expect(smartScopes([map], []).v2.system).toBe('system/Patient.r system/Observation.rs system/DiagnosticReport.rs');
    expect(bulkExport([map], [])).toMatchObject({
      _type: 'Patient,Observation,DiagnosticReport',
      _typeFilter: ['Observation?code=http://loinc.org|54094-8', 'DiagnosticReport?code=http://loinc.org|36643-5'],
    });
  });

  it('has neither components nor coded answers', () => {
    const component = { panels: ['http://loinc.org|1-8'], codes: ['http://loinc.org|1-8'] };
    const { codes: _, ...bare } = radiograph;
    const features = { wrong: { ...bare, component, codedAnswers: 'text' as const } };
    const found = checkFeatureMap({ language: 1, features, population: noPopulation }, ['outcome']);
    expect(found.map(({ path, message }) => `${path} ${message}`)).toEqual([
      '/features/wrong/codes is needed by report',
      '/features/wrong/component is for an Observation: a report has no components',
      '/features/wrong/codedAnswers is for an Observation: the conclusion of a report is a text',
    ]);
  });
});

describe('a map with a text', () => {
  const derived: FeatureDefinition = {
    kind: 'derived',
    label: 'Sum',
    unit: '1',
    expression: ['+', 'note', 1],
    source: 'test',
  };
  const firstOf: FeatureDefinition = {
    kind: 'first-of',
    label: 'Either',
    of: ['note', 'other'],
    passOver: ['not-found'],
  };
  const faults = (features: FeatureMap['features'], population: Partial<FeatureMap['population']> = {}) =>
    checkFeatureMap(
      { language: 1, features: { note: note(), ...features }, population: { ...noPopulation, ...population } },
      ['outcome'],
    ).map(({ path, message }) => `${path} ${message}`);

  it('is searched by the codes and the window of the text', () => {
    const map = { language: 1, features: { note: note() }, population: noPopulation } as const;
    expect(recordQueries(map, new Date('2026-03-01T12:00:00Z'), [])).toEqual([
      {
        key: 'observations',
        type: 'Observation',
        codes: ['http://loinc.org|54094-8'],
        since: new Date('2026-02-28T12:00:00Z'),
        subjectParameter: 'patient',
      },
    ]);
  });

  it('says in its table how long the text may be', () => {
    const map = { language: 1, features: { note: note() }, population: noPopulation } as const;
    expect(featureTable(map)).toContain(
      '| `note` | Triage note | text | 1 | a text of at most 40 characters | P1D | latest | abstain |',
    );
  });

  it('needs codes, computes with no text and takes none for the first of several', () => {
    const { codes: _, ...bare } = note();
    expect(faults({})).toEqual([]);
    expect(faults({ bare })).toEqual(['/features/bare needs codes, component or both']);
    expect(faults({ derived })).toEqual([
      '/features/derived/expression computes with note, which is a text and no number',
    ]);
    expect(faults({ firstOf, other: note() })).toContain(
      '/features/firstOf/of names note, which is a text; only numbers and yes-or-no have a first',
    );
  });

  it('judges nobody by a text', () => {
    const message = 'test';
    expect(faults({}, { exclude: [{ reason: 'x', feature: 'note', equals: true, message }] })).toEqual([
      '/population/exclude/0 needs a feature that is a boolean; note is a text',
    ]);
    expect(faults({}, { require: [{ reason: 'x', feature: 'note', in: ['pain'], message }] })).toEqual([
      '/population/require/0 needs a feature that is a code; note is a text',
    ]);
    expect(faults({}, { ranges: [{ feature: 'note', from: 1, to: 40 }] })).toEqual([
      '/population/ranges/0 needs a feature that is a number; note is a text',
    ]);
  });

  it.each<[object, string, string[]]>([
    [{ feature: 'note' }, 'string', []],
    [
      { feature: 'note' },
      'float32',
      ['/feature is note, a text, which an input of type float32 cannot take; only string can'],
    ],
    [
      { feature: 'note', encode: { pain: 1 } },
      'string',
      ['/encode is for a column of numbers: note goes into a tensor of strings as it is'],
    ],
    [
      { feature: 'note', indicator: 'missing' },
      'string',
      [
        '/indicator is for a column of numbers: note goes into a tensor of strings as it is',
        "/indicator needs 'indicate' or 'nan' in the policy for note that is missing",
      ],
    ],
    [
      { feature: 'length' },
      'string',
      ['/feature is length, a number, which an input of type string cannot take; it takes texts and codes'],
    ],
  ])('is taken as it is by an input of strings, and by no other: %o into %s', (column, type, faults) => {
    const manifest = { tensors: { input: { type, columns: [column] } }, explanation: { reference: {} }, outcomes: [] };
    const length = { kind: 'derived', label: 'Length', unit: '1', expression: 2 } as unknown as FeatureDefinition;
    const map: FeatureMap = { language: 1, features: { note: note(), length }, population: noPopulation };
    const found = checkColumns(manifest as unknown as Manifest, map);
    expect(found.map(({ path, message }) => `${path} ${message}`)).toEqual(
      faults.map((fault) => `/tensors/input/columns/0${fault}`),
    );
  });

  it('gives a model the words of a text, never how many there are', () => {
    const { features } = extractAll({ note: note() }, [says('Chest pain')], { columns: [] });
    expect(inputRow([{ feature: 'note' }], features)).toEqual(['Chest pain']);
  });

  it('lets a model speak that has no text: nothing that it reads is missing', () => {
    const { verdicts } = extractAll({ note: note() }, [], { columns: [] });
    expect(verdicts.get('outcome')).toEqual({ state: 'score' });
  });

  it('lets no caller assert a text, nor says that one could', () => {
    const compiled = compileFeatureMap({ language: 1, features: { note: note() }, population: noPopulation });
    expect(() => readAssertedInputs([{ name: 'note', value: 'Chest pain' }], compiled)).toThrow(
      "Input 'note' is a text of the record; it cannot be asserted.",
    );
    const manifest = { id: 'm', version: '1.0.0', title: 'M' } as Manifest;
    expect(assertedInputsSchema({ manifest, featureMap: compiled.map, uses: [] })).toMatchObject({ properties: {} });
  });
});
