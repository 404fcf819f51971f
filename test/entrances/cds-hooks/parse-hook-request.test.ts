import { describe, expect, test } from 'vitest';
import { contextReader } from '../../../src/entrances/cds-hooks/context-reader.ts';
import { type OfferedHook, parseHookRequest } from '../../../src/entrances/cds-hooks/parse-hook-request.ts';
import { type HookName, hookNames, hookVersions, type NamedHook } from '../../../src/model-catalog/hook-library.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { countedList } from '../../support/counted-list.ts';

const bundle = { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'ServiceRequest', status: 'draft' } }] };
const byUser = { userId: 'Practitioner/example', patientId: '17' };
const contexts: Readonly<Record<HookName, Record<string, unknown>>> = {
  'patient-view': byUser,
  'encounter-start': { ...byUser, encounterId: '9' },
  'encounter-discharge': { ...byUser, encounterId: '9' },
  'order-select': { ...byUser, selections: ['ServiceRequest/1'], draftOrders: bundle },
  'order-sign': { ...byUser, draftOrders: bundle },
  'order-dispatch': { patientId: '17', performer: 'Organization/2', dispatchedOrders: ['ServiceRequest/1'] },
  'appointment-book': { ...byUser, appointments: bundle },
  'allergyintolerance-create': { ...byUser, allergyIntolerance: { resourceType: 'AllergyIntolerance' } },
  'problem-list-item-create': { ...byUser, conditions: bundle },
  'medication-refill': { patientId: '17', medications: bundle },
};

const authorization = {
  access_token: 'opaque',
  token_type: 'Bearer',
  expires_in: 300,
  scope: 'user/Patient.read',
  subject: 'fhirsight',
};
function request(hook: HookName = 'patient-view', change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    hook,
    hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
    fhirServer: 'https://ehr.example/fhir/',
    fhirAuthorization: authorization,
    context: contexts[hook],
    prefetch: {},
    ...change,
  };
}

/** What a service takes that is declared at these hooks. */
function offered(...hooks: readonly (HookName | NamedHook)[]): OfferedHook[] {
  return hooks.map((named) => {
    const declared = typeof named === 'string' ? { hook: named } : named;
    return { hook: declared.hook, readContext: contextReader(hookVersions(declared)) };
  });
}

function refusal(body: unknown, hooks: readonly (HookName | NamedHook)[] = ['patient-view']): PredictionError {
  try {
    parseHookRequest(body, offered(...hooks));
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'PARAMETER_INVALID') return error;
    throw error;
  }
  throw new Error('the request was accepted');
}

describe('a request of a hook', () => {
  test.each([
    ['userId', ['\u0001']],
    ['userId', 'Practitioner/\u0001'],
    ['encounterId', { id: '9' }],
  ])(
    'is refused where a hook that does not define %s is sent %j there: nothing reaches the path unchecked',
    (name, value) => {
      const context = { ...contexts['order-dispatch'], [name]: value };
      expect(refusal(request('order-dispatch', { context }), ['order-dispatch']).message).toContain(`context.${name}`);
    },
  );

  test.each(hookNames)('CDS-14 %s is read with its context', (hook) => {
    const parsed = parseHookRequest(request(hook), offered(...new Set<HookName>(['patient-view', hook])));
    expect(parsed).toMatchObject({ hook, context: { patientId: '17' } });
    expect(parsed.fhirServer).toEqual({
      base: 'https://ehr.example/fhir',
      accessToken: 'opaque',
      expiresInMs: 300_000,
    });
  });

  test.each(hookNames.flatMap((hook) => Object.keys(contexts[hook]).map((field) => [hook, field] as const)))(
    'CDS-14 %s needs context.%s, never null, empty or of another kind',
    (hook, field) => {
      const { [field]: _left, ...rest } = contexts[hook];
      const missing = refusal(request(hook, { context: rest }), [hook]);
      expect(missing.message).toMatch(field === 'dispatchedOrders' ? /dispatchedOrders|order/ : `context.${field}`);
      for (const bad of [null, '', 7, []]) {
        const error = refusal(request(hook, { context: { ...rest, [field]: bad } }), [hook]);
        expect(error.issues.map(({ expression = '' }) => expression.startsWith('context'))).toContain(true);
      }
    },
  );

  test.each([
    ['hook', undefined],
    ['hook', 7],
    ['hookInstance', undefined],
    ['hookInstance', ''],
    ['hookInstance', 'urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea'],
    ['hookInstance', 'html-test'],
    ['fhirServer', null],
    ['fhirServer', ''],
    ['fhirServer', 'ehr.example/fhir'],
    ['fhirServer', 'ftp://ehr.example/fhir'],
    ['fhirServer', 'https://user:password@ehr.example/fhir'],
    ['fhirServer', 'https://ehr.example/fhir?x=1'],
    ['fhirServer', undefined],
    ['fhirAuthorization', null],
    ['fhirAuthorization', {}],
    ['fhirAuthorization', 'opaque'],
    ['fhirAuthorization', { ...authorization, access_token: 'two\r\nlines' }],
    ['fhirAuthorization', { ...authorization, token_type: 'Basic' }],
    ['fhirAuthorization', { ...authorization, expires_in: '300' }],
    ['fhirAuthorization', { ...authorization, expires_in: 1.5 }],
    ['fhirAuthorization', { ...authorization, patient: 'somebody-else' }],
    ['context', undefined],
    ['context', null],
    ['context', []],
    ['context', { ...byUser, patientId: 'Patient/17' }],
    ['context', { ...byUser, userId: 'Device/1' }],
    ['context', { ...byUser, encounterId: 'Encounter/9' }],
    ['prefetch', null],
    ['prefetch', []],
    ['extension', 'text'],
  ])('CDS-10 to CDS-14: %s of %j is refused, and named', (field, value) => {
    const error = refusal(request('patient-view', { [field]: value }));
    expect(error.message).toContain(field);
    expect(error.message).not.toContain('opaque');
  });

  test.each(Object.keys(authorization))('CDS-13 fhirAuthorization needs %s', (field) => {
    const { [field as 'scope']: _left, ...rest } = authorization;
    const error = refusal(request('patient-view', { fhirAuthorization: rest }));
    expect(error.message).toBe(`fhirAuthorization.${field} is missing; CDS Hooks requires it.`);
  });

  test.each([[[]], ['text'], [7], [null], [{}]])('the body %j is refused', (body) => {
    expect(refusal(body).message).toMatch(/\w/);
  });

  test('CDS-10 a hook that the service does not offer is refused with those it does', () => {
    expect(refusal(request('order-sign'), ['patient-view', 'order-select']).message).toBe(
      'hook must be patient-view or order-select: this service offers no other.',
    );
  });

  test('unknown fields are tolerated, also null ones, and the token type is read in any case', () => {
    const body = request('patient-view', {
      user: null,
      extension: { 'com.example.x': {} },
      context: { ...byUser, services: null },
      fhirAuthorization: { ...authorization, token_type: 'bearer' },
    });
    expect(parseHookRequest(body, offered('patient-view')).context.patientId).toBe('17');
  });

  test('a fhirServer has one name, however it is written (CDS-12)', () => {
    for (const spelled of ['HTTPS://EHR.example:443/fhir', 'https://ehr.example/fhir//'])
      expect(
        parseHookRequest(request('patient-view', { fhirServer: spelled }), offered('patient-view')).fhirServer?.base,
      ).toBe('https://ehr.example/fhir');
  });

  test('a fhirServer that no key of a database can hold is refused, also one that grows by escaping', () => {
    for (const path of ['a'.repeat(600), 'é'.repeat(300)])
      expect(refusal(request('patient-view', { fhirServer: `https://ehr.example/${path}` })).message).toContain('512');
  });

  test.each(['order-select', 'order-dispatch'] as const)(
    'a million entries of %s are refused without a look at them',
    (hook) => {
      const list = { 'order-select': 'selections', 'order-dispatch': 'dispatchedOrders' }[hook];
      const entries = countedList(1_000_000, 0);
      const body = request(hook, { context: { ...contexts[hook], [list]: entries.list } });
      expect(refusal(body, [hook]).message).toContain(`context.${list} must hold at most 1000`);
      expect(entries.reads()).toBeLessThan(10);
    },
  );

  test('order-dispatch is read in its version 1.0 too', () => {
    const context = { patientId: '17', performer: 'Organization/2', order: 'ServiceRequest/1' };
    expect(
      parseHookRequest(request('order-dispatch', { context }), offered('order-dispatch')).context.version.version,
    ).toBe('1.0');
  });

  test('a service that takes one version of a hook refuses the other (CDS-3)', () => {
    const context = contexts['order-dispatch'];
    expect(
      refusal(request('order-dispatch', { context }), [{ hook: 'order-dispatch', hookVersion: '1.0' }]).message,
    ).toBe('context.order is missing; CDS Hooks requires it.');
  });

  test('CDS-71 what a context holds may lack an id and be empty of entries: nobody looks at it unasked', () => {
    for (const draftOrders of [{ resourceType: 'Bundle' }, { resourceType: 'Bundle', entry: [{}] }]) {
      const context = { ...byUser, draftOrders };
      expect(parseHookRequest(request('order-sign', { context }), offered('order-sign')).hook).toBe('order-sign');
    }
  });
});

describe('a hook of a model owner', () => {
  const hook = 'com.example.sepsis-screen';
  const declared: NamedHook = {
    hook,
    context: {
      patientId: { is: 'id' },
      encounterId: { is: 'id' },
      ward: { is: 'text', optional: true },
      screen: { is: 'resource', type: 'QuestionnaireResponse' },
    },
  };
  const context = { patientId: '17', encounterId: '9', screen: { resourceType: 'QuestionnaireResponse' } };
  const custom = (change: Record<string, unknown>) =>
    request('patient-view', { hook, context: { ...context, ...change } });

  test('CDS-71 is read with the context that the manifest declares', () => {
    const parsed = parseHookRequest(custom({ ward: 'ICU' }), offered('patient-view', declared));
    expect(parsed.context).toMatchObject({ patientId: '17', encounterId: '9', fields: { ward: 'ICU' } });
    expect(parsed.context.userId).toBeUndefined();
  });

  test.each([
    [{ encounterId: undefined }, 'context.encounterId is missing'],
    [{ patientId: 'Patient/17' }, 'context.patientId must be a bare FHIR id'],
    [{ ward: '' }, 'context.ward must not be empty'],
    [{ screen: { resourceType: 'Patient' } }, 'context.screen.resourceType must be "QuestionnaireResponse"'],
  ])('CDS-70 CDS-71 with %j is refused, and named', (change, message) => {
    const body = JSON.parse(JSON.stringify(custom(change)));
    expect(refusal(body, [declared]).message).toContain(message);
  });
});
