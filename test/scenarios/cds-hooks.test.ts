import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFeedback } from '../../src/monitoring/cds-feedback.ts';
import { condition } from '../support/build-record.ts';
import { captureLog } from '../support/captured-log.ts';
import { callHook, cardPrediction, fullPrefetch, patientView, searchset } from '../support/cds-call.ts';
import { startHoldingProxy } from '../support/cds-holding-proxy.ts';
import { cdsResponseFindings } from '../support/cds-response-checker.ts';
import { type Answer, send } from '../support/fhir-test-server.ts';
import { type PersonalValues, patientOne } from '../support/patient-one.ts';
import { predictOverHttp } from '../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFault, type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';
import { transactionOf } from '../support/transaction-of.ts';

const clock = { now: () => new Date('2026-03-01T12:00:00Z') };
const token = 'opaque-token-of-the-call-4711';
const white = {
  url: 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race',
  extension: [
    {
      url: 'ombCategory',
      valueCoding: { system: 'urn:oid:2.16.840.1.113883.6.238', code: '2106-3', display: 'White' },
    },
    { url: 'text', valueString: 'White' },
  ],
};
const dora: PersonalValues = {
  gender: 'male',
  birthDate: '1956-03-04',
  systolic: 158.5,
  totalCholesterol: 243.5,
  hdlCholesterol: 39.5,
  bodyMassIndex: 31.5,
  creatinine: 1.1,
};
const record = patientOne(dora).map((resource) =>
  resource.resourceType === 'Patient' ? { ...resource, extension: [white] } : resource,
);
const prefetch = fullPrefetch(record);

const faults: StubFault[] = [];
let ehr: StubFhirServer;
let unlisted: StubFhirServer;
let server: StartedFhirsight;
const log = captureLog();

beforeAll(async () => {
  ehr = await startStubFhirServer({ resources: record, faults, pageSize: 50 });
  unlisted = await startStubFhirServer({ resources: record });
  server = await startFhirsight({
    clock,
    models: 'published',
    logger: log.logger,
    settings: { CDS_FHIR_SERVERS: ehr.base, CDS_DEADLINE_MS: '5000', FHIR_TIMEOUT_MS: '500', MAX_BODY_MB: '1' },
  });
});
afterAll(async () => {
  await server?.close();
  await ehr?.close();
  await unlisted?.close();
});

const call = (options: Partial<Parameters<typeof patientView>[0]> = {}, service = 'prevent-base') =>
  callHook(server.url, service, patientView({ patient: '1', ...options }));

/** Runs `work` while the stub misbehaves. */
async function during<T>(fault: StubFault, work: () => Promise<T>): Promise<T> {
  faults.push(fault);
  try {
    return await work();
  } finally {
    faults.length = 0;
  }
}

async function requestsDuring(stub: StubFhirServer, work: () => Promise<unknown>): Promise<string[]> {
  const before = stub.requests.length;
  await work();
  return stub.requests.slice(before).map(({ url }) => decodeURIComponent(url).replace(/^\/fhir\//, ''));
}

function expectRefusal(answer: Answer, status: number): string {
  expect(answer.status, answer.text).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(answer.body.resourceType).toBe('OperationOutcome');
  const { diagnostics = '' } = answer.body.issue[0];
  expect(diagnostics).toMatch(/\w/);
  expect(answer.text).not.toContain(token);
  return diagnostics;
}

describe('discovery', () => {
  it('CDS-1 CDS-2 CDS-5 CDS-6 lists every service of the manifests as plain JSON', async () => {
    const answer = await send(`${server.url}/cds-services`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const { services } = answer.body;
    expect(services.map(({ id, hook }: { id: string; hook: string }) => [id, hook])).toEqual([
      ['pce-2013', 'patient-view'],
      ['prevent-base', 'patient-view'],
      ['prevent-full', 'patient-view'],
    ]);
    for (const service of services) {
      expect(Object.keys(service).sort()).toEqual(
        ['description', 'hook', 'id', 'prefetch', 'title', 'usageRequirements'].sort(),
      );
      for (const value of [...Object.values(service), ...Object.values(service.prefetch)]) expect(value).toBeTruthy();
    }
  });

  it('CDS-7 CDS-17 other methods and paths are answered in JSON, with what is allowed', async () => {
    for (const [path, method, allow] of [
      ['', 'POST', 'GET, HEAD'],
      ['/prevent-base', 'GET', 'POST'],
      ['/prevent-base', 'PUT', 'POST'],
      ['/prevent-base/feedback', 'GET', 'POST'],
    ] as const) {
      const answer = await send(`${server.url}/cds-services${path}`, method);
      expectRefusal(answer, 405);
      expect(answer.headers.get('allow')).toBe(allow);
    }
    expectRefusal(await callHook(server.url, 'nobody', patientView({ patient: '1' })), 404);
    expectRefusal(await callHook(server.url, 'nobody/feedback', { feedback: [] }), 404);
  });
});

describe('a card', () => {
  it('CDS-30 to CDS-43: risk, horizon, contributions with value and date, what was assumed, model, extension', async () => {
    const answer = await call({ prefetch });
    expect(answer.status, answer.text).toBe(200);
    expect(cdsResponseFindings(answer.body)).toEqual([]);
    const [card] = answer.body.cards;
    const { score, digest } = cardPrediction(answer);
    expect(card.indicator).toBe('info');
    const url = `${server.url}/models/prevent-base/versions/1.0.0/card`;
    expect(card.source).toEqual({ label: 'AHA PREVENT 2023, base model, 1.0.0', url });
    expect(card.links).toEqual([{ label: 'Model card', url, type: 'absolute' }]);
    expect((await fetch(url)).status).toBe(200);
    expect(card.summary).toMatch(
      /^\d+\.\d % \(\d+ in 1,000\) over 10 years: Total .*\(AHA PREVENT 2023, base model\)$/,
    );
    expect(card.summary.startsWith(`${((score ?? 0) * 100).toFixed(1)} %`)).toBe(true);
    expect(card.detail).toContain('- Systolic blood pressure: 158.5 mmHg (2026-02-01): +');
    expect(card.detail.match(/^- .* percentage points$/gm)).toHaveLength(3);
    for (const part of [
      'Assumed absent: Diabetes',
      'AI-generated',
      'Evaluation only',
      '(prevent-base 1.0.0), as of 2026',
    ])
      expect(card.detail).toContain(part);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('CDS-31 a card has a UUID of its own, also where the same call comes again: feedback on one is never that on the other', async () => {
    const uuidOf = async (): Promise<unknown> => (await call({ prefetch })).body.cards[0].uuid;
    const [one, other] = [await uuidOf(), await uuidOf()];
    for (const uuid of [one, other]) expect(uuid).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(one).not.toBe(other);
  });

  it('shows by the bands of the manifest: high is a warning with its band and citation', async () => {
    const answer = await call({ prefetch }, 'pce-2013');
    expect(cdsResponseFindings(answer.body)).toEqual([]);
    const [card] = answer.body.cards;
    expect(cardPrediction(answer).score).toBeGreaterThan(0.2);
    expect(card.indicator).toBe('warning');
    expect(card.summary).toContain('High risk (20 % or more)');
    expect(card.detail).toContain('Grundy SM');
  });

  it('shows no card for a low band and for who is not eligible, where the manifest says so', async () => {
    const young = fullPrefetch(
      record.map((one) =>
        one.resourceType === 'Patient' ? { ...one, birthDate: '1984-01-01', gender: 'female' } : one,
      ),
    );
    const low = await call({ prefetch: young }, 'pce-2013');
    expect([low.status, low.body]).toEqual([200, { cards: [] }]);
    const infarct = condition('22298006', '2020-01-01T08:00:00Z');
    const prior = await call({ prefetch: fullPrefetch([...record, infarct]) });
    expect([prior.status, prior.body]).toEqual([200, { cards: [] }]);
  });

  it('of an abstention gives the reasons in words and no number (known to be absent: 200)', async () => {
    const answer = await call({ prefetch: { ...prefetch, observations: null } });
    expect(answer.status).toBe(200);
    expect(cdsResponseFindings(answer.body)).toEqual([]);
    const { state, score, result } = cardPrediction(answer);
    expect([state, score]).toEqual(['insufficient-data', undefined]);
    expect(result).toMatch(/^[0-9a-f]{64}$/);
    expect(answer.body.cards[0].summary).not.toMatch(/\d %/);
    expect(answer.body.cards[0].detail).toContain('cholesterol');
    expect(answer.body.cards[0].overrideReasons).toBeUndefined();
  });

  it('is the same prediction as $predict where the fhirServer is this server', async () => {
    const own = await send(server.fhir, 'POST', transactionOf(record, { fullUrls: false }));
    expect(own.status).toBe(200);
    const predicted = await predictOverHttp(server.fhir, '1', { model: 'prevent-base' });
    const hooked = cardPrediction(await call({ fhirServer: server.fhir }));
    expect(hooked.result).toBe(predicted.body.identifier[0].value);
    const direct = await server.house.predict({
      requestId: 'direct',
      entrance: 'fhir-operation',
      model: 'prevent-base',
      subject: '1',
      seed: [],
      inputs: [],
      writeBack: false,
    });
    if (direct.state !== 'scored') throw new Error('the prediction abstained');
    expect(hooked.score).toBe(direct.scores.get('total-cvd-10y'));
  });
});

describe('what is asked, and of whom', () => {
  it('CDS-23 with full prefetch nobody is asked, listed or not', async () => {
    const asked = await requestsDuring(ehr, async () => {
      expect((await call({ prefetch, fhirServer: ehr.base, token })).status).toBe(200);
    });
    expect(asked).toEqual([]);
    const elsewhere = await requestsDuring(unlisted, async () => {
      expect((await call({ prefetch, fhirServer: unlisted.base, token })).status).toBe(200);
    });
    expect(elsewhere).toEqual([]);
  });

  it('CDS-23 CDS-15 only the keys that are not there are asked, with the token of the call', async () => {
    const { conditions: _conditions, ...rest } = prefetch;
    const asked = await requestsDuring(ehr, async () => {
      expect((await call({ prefetch: rest, fhirServer: `${ehr.base}/`, token })).status).toBe(200);
    });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/^Condition\?patient=1/);
    expect(ehr.requests.at(-1)?.headers.authorization).toBe(`Bearer ${token}`);
  });

  it('CDS-23 null is an answer: it is not asked again', async () => {
    const asked = await requestsDuring(ehr, async () => {
      const answer = await call({ prefetch: { ...prefetch, conditions: null, consents: null }, fhirServer: ehr.base });
      expect(cardPrediction(answer).state).toBe('scored');
    });
    expect(asked).toEqual([]);
  });

  const outcome = (code: string) => ({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] });
  const conditions = { ...searchset([]), total: undefined };
  const page = { ...conditions, link: [{ relation: 'next', url: 'http://127.0.0.1:9/fhir?page=2' }] };
  /** What the client says of one key, and what follows: nobody need be asked, the server is asked, or nobody may be. */
  const states: readonly [string, unknown, 'answered' | 'asked' | 'refused'][] = [
    ['CDS-23 an answer', prefetch.conditions, 'answered'],
    ['CDS-23 null', null, 'answered'],
    ['CDS-23 an empty Bundle', conditions, 'answered'],
    ['CDS-23 no key', undefined, 'asked'],
    ['CDS-24 an OperationOutcome of what passes', outcome('timeout'), 'asked'],
    ['CDS-24 an OperationOutcome of what lasts', outcome('forbidden'), 'refused'],
    [
      'CDS-24 one inside a Bundle',
      { ...conditions, entry: [{ resource: outcome('security'), search: { mode: 'outcome' } }] },
      'refused',
    ],
    ['CDS-25 a page with a next link of nobody', page, 'asked'],
    ['CDS-25 fewer matches than are counted', { ...conditions, total: 3 }, 'asked'],
  ];
  const servers = {
    none: {},
    unlisted: { server: () => unlisted.base },
    listed: { server: () => ehr.base },
    'listed, which answers 401': { server: () => ehr.base, fault: { kind: 'status', status: 401 } },
    'listed, which answers 403': { server: () => ehr.base, fault: { kind: 'status', status: 403 } },
    'listed, which hangs': { server: () => ehr.base, fault: { kind: 'hang' } },
  } as const;

  it.each(
    states.flatMap(([state, value, follows]) =>
      (Object.keys(servers) as (keyof typeof servers)[]).map((server) => {
        const isAsked = follows === 'asked' && server.startsWith('listed');
        const status = follows === 'answered' || (follows === 'asked' && server === 'listed') ? 200 : 412;
        return [state, server, status, isAsked ? 1 : 0, value] as const;
      }),
    ),
  )('TM-2 CDS-26 %s, server %s: %i, and %i requests', async (_, name, status, requests, value) => {
    const named: { readonly server?: () => string; readonly fault?: StubFault } = servers[name];
    const options = named.server === undefined ? {} : { fhirServer: named.server(), token };
    const work = async (): Promise<void> => {
      const answer = await call({ prefetch: { ...prefetch, conditions: value }, ...options });
      if (status === 200) expect(cardPrediction(answer).state).toBe('scored');
      else expectRefusal(answer, 412);
    };
    const elsewhere = unlisted.requests.length;
    const asked = await requestsDuring(ehr, async () => {
      await (named.fault === undefined ? work() : during(named.fault, work));
    });
    expect(asked.map((url) => url.split('?')[0])).toEqual(Array.from({ length: requests }, () => 'Condition'));
    expect(unlisted.requests).toHaveLength(elsewhere);
  });

  describe('a first page of results that the client holds', () => {
    const whole = predictOverPrefetch();
    /** Two of the results, as the server gives them to the client. */
    async function firstPage(): Promise<Bundle> {
      const answer = await fetch(`${ehr.base}/Observation?patient=1&_count=2`);
      return (await answer.json()) as Bundle;
    }
    const callWith = async (observations: unknown) =>
      cardPrediction(await call({ prefetch: { ...prefetch, observations }, fhirServer: ehr.base, token }));

    it('CDS-25 is completed by the pages that follow, asked of its own server with the token of the call', async () => {
      const page = await firstPage();
      const asked = await requestsDuring(ehr, async () => {
        const { score } = await callWith(page);
        expect(score).toBe(await whole());
      });
      expect(asked).toHaveLength(2);
      for (const url of asked) expect(url).toContain('page=');
      expect(ehr.requests.at(-1)?.headers.authorization).toBe(`Bearer ${token}`);
    });

    it.each([
      ['a page is no longer kept', { kind: 'status', status: 410, on: 'next' }],
      ['a page is not FHIR', { kind: 'html', on: 'next' }],
      [
        'a page leads elsewhere',
        { kind: 'next-elsewhere', url: 'http://127.0.0.1:9/fhir?page=3', on: 'next', times: 1 },
      ],
      ['a page says that it holds parts', { kind: 'subsetted', on: 'next', times: 1 }],
    ] as const)('CDS-25 is dropped where %s: the whole search is asked anew', async (_, fault) => {
      const page = await firstPage();
      const asked = await requestsDuring(ehr, async () => {
        const { score } = await during({ ...fault }, () => callWith(page));
        expect(score).toBe(await whole());
      });
      expect(asked.at(-1)).toMatch(/^Observation\?patient=1/);
      expect(asked.filter((url) => url.startsWith('Observation'))).toHaveLength(1);
    });

    it('CDS-25 is dropped where all pages together hold fewer matches than they count', async () => {
      const page = await firstPage();
      const asked = await requestsDuring(ehr, async () => {
        const { score } = await callWith({ ...page, total: (page.total ?? 0) + 1, entry: page.entry?.slice(1) });
        expect(score).toBe(await whole());
      });
      expect(asked.at(-1)).toMatch(/^Observation\?patient=1/);
    });

    it('CDS-25 CDS-26 is not enough where its server is not named', async () => {
      const page = await firstPage();
      const answer = await call({ prefetch: { ...prefetch, observations: page } });
      expect(expectRefusal(answer, 412)).toContain('observations');
    });

    it('CDS-25 is refused where it holds a result of another patient', async () => {
      const page = await firstPage();
      const entry = page.entry?.map(({ resource, ...rest }) => ({
        ...rest,
        resource:
          resource?.resourceType === 'Observation' ? { ...resource, subject: { reference: 'Patient/2' } } : resource,
      }));
      const answer = await call({
        prefetch: { ...prefetch, observations: { ...page, entry } },
        fhirServer: ehr.base,
        token,
      });
      expect(expectRefusal(answer, 400)).toContain('prefetch.observations.entry[0].resource');
    });
  });

  /** The score of a call that holds everything. */
  function predictOverPrefetch(): () => Promise<number> {
    return async () => cardPrediction(await call({ prefetch, fhirServer: ehr.base })).score ?? Number.NaN;
  }

  it('CDS-24 says of a failed search which one it is, and why nobody is asked again', async () => {
    const answer = await call({ prefetch: { ...prefetch, conditions: outcome('forbidden') }, fhirServer: ehr.base });
    expect(expectRefusal(answer, 412)).toContain('conditions: The client could not read it (forbidden)');
  });

  it('CDS-23 keys that are not there are asked side by side', async () => {
    const asked = await requestsDuring(ehr, async () => {
      await during({ kind: 'hang' }, async () => expectRefusal(await call({ fhirServer: ehr.base, token }), 412));
    });
    // Not one of them was answered before the next one came.
    expect(new Set(asked.map((url) => url.split(/[?/]/)[0]))).toEqual(
      new Set(['Patient', 'Observation', 'Condition', 'MedicationRequest', 'Encounter', 'Consent']),
    );
  });

  it('without prefetch everything is asked of the listed server, and the score is the same', async () => {
    const asked = cardPrediction(await call({ fhirServer: ehr.base, token }));
    const held = cardPrediction(await call({ prefetch, fhirServer: ehr.base, token }));
    expect(asked.score).toBe(held.score);
    expect(asked.result).toBe(held.result);
  });

  it.each<[string, Partial<Parameters<typeof patientView>[0]>]>([
    ['no prefetch and no fhirServer', {}],
    ['a key that is missing and no fhirServer', { prefetch: { ...prefetch, observations: undefined } }],
    ['the patient missing', { prefetch: { ...prefetch, patient: undefined } }],
    [
      'an OperationOutcome and no fhirServer',
      {
        prefetch: {
          ...prefetch,
          conditions: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'timeout' }] },
        },
      },
    ],
    ['the patient answered with nothing', { prefetch: { ...prefetch, patient: null } }],
  ])('CDS-26 412: %s', async (_, options) => {
    expectRefusal(await call(options), 412);
  });

  it('CDS-26 412, and nothing is asked: a server that is not listed', async () => {
    const asked = await requestsDuring(unlisted, async () => {
      const diagnostics = expectRefusal(await call({ fhirServer: unlisted.base, token }), 412);
      expect(diagnostics).toContain('CDS_FHIR_SERVERS');
    });
    expect(asked).toEqual([]);
  });

  it('says of an unlisted server its origin alone: its path may hold a secret of the call', async () => {
    const answer = await call({ fhirServer: 'https://ehr.example/launch/path-secret-0815/fhir' });
    expect(expectRefusal(answer, 412)).toContain('https://ehr.example');
    expect(answer.text).not.toContain('path-secret');
  });

  it.each<[string, StubFault]>([
    ['401', { kind: 'status', status: 401 }],
    ['403', { kind: 'status', status: 403 }],
    ['500', { kind: 'status', status: 500 }],
    ['a redirect to another server', { kind: 'status', status: 302, headers: { location: 'http://127.0.0.1:9/fhir' } }],
    ['a server that hangs', { kind: 'hang' }],
    ['a reset', { kind: 'reset' }],
    ['no JSON', { kind: 'html' }],
    ['an error inside the Bundle', { kind: 'outcome-error', on: 'search' }],
    ['rows of another patient', { kind: 'foreign-patient', on: 'search', type: 'Observation' }],
  ])('CDS-26 412: %s', async (_, fault) => {
    await during(fault, async () => {
      expectRefusal(await call({ fhirServer: ehr.base, token }), 412);
    });
  });

  it('a token that has expired is sent to nobody: 412, or a card where nothing need be asked', async () => {
    const expired = (options: Partial<Parameters<typeof patientView>[0]>) => {
      const body = patientView({ patient: '1', fhirServer: ehr.base, token, ...options });
      return { ...body, fhirAuthorization: { ...(body.fhirAuthorization as object), expires_in: 0 } };
    };
    const asked = await requestsDuring(ehr, async () => {
      expect(expectRefusal(await callHook(server.url, 'prevent-base', expired({})), 412)).toContain('expired');
      expect((await callHook(server.url, 'prevent-base', expired({ prefetch }))).status).toBe(200);
    });
    expect(asked).toEqual([]);
  });

  it('CDS-26 412: a patient, or an encounter, that the server does not have', async () => {
    expectRefusal(await call({ patient: 'nobody', fhirServer: ehr.base }), 412);
    expectRefusal(await call({ encounter: 'nowhere', fhirServer: ehr.base }), 412);
    expect((await call({ encounter: 'visit', fhirServer: ehr.base })).status).toBe(200);
  });

  it('never asks an unlisted server: by next links, redirects and absolute references neither', async () => {
    const asked = await requestsDuring(unlisted, async () => {
      await during({ kind: 'next-elsewhere', url: `${unlisted.base}?page=2`, on: 'search' }, async () => {
        expectRefusal(await call({ fhirServer: ehr.base, token }), 412);
      });
      await during(
        { kind: 'status', status: 307, headers: { location: `${unlisted.base}/Patient/1` } },
        async () => void expectRefusal(await call({ fhirServer: ehr.base, token }), 412),
      );
      const order: Resource = {
        resourceType: 'MedicationRequest',
        id: 'order',
        status: 'active',
        intent: 'order',
        subject: { reference: 'Patient/1' },
        authoredOn: '2026-01-01',
        medicationReference: { reference: `${unlisted.base}/Medication/m` },
      };
      const answer = await call({ prefetch: fullPrefetch([...record, order]), fhirServer: ehr.base, token });
      // An order whose medication cannot be known forbids to assume that there is none.
      expect(cardPrediction(answer).state).toBe('insufficient-data');
      const patientElsewhere = fullPrefetch(
        record.map((one) =>
          one.resourceType === 'Observation' ? { ...one, subject: { reference: `${unlisted.base}/Patient/1` } } : one,
        ),
      );
      expectRefusal(await call({ prefetch: patientElsewhere, fhirServer: ehr.base, token }), 400);
    });
    expect(asked).toEqual([]);
  });
});

describe('bad bodies', () => {
  const post = (body: string | Buffer, type = 'application/json') =>
    fetch(`${server.url}/cds-services/prevent-base`, { method: 'POST', headers: { 'content-type': type }, body }).then(
      async (response): Promise<Answer> => {
        const text = await response.text();
        return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
      },
    );

  it('CDS-17 415 for another content type, 400 for no JSON, 413 for one that is too large', async () => {
    const good = JSON.stringify(patientView({ patient: '1', prefetch }));
    expectRefusal(await post(good, 'text/plain'), 415);
    expectRefusal(await post(good, 'application/x-www-form-urlencoded'), 415);
    expectRefusal(await post(good, 'application/xml'), 415);
    expectRefusal(await post(''), 400);
    expectRefusal(await post('{'), 400);
    expectRefusal(await post('[]'), 400);
    expectRefusal(await post('null'), 400);
    expectRefusal(await post(Buffer.from([0x7b, 0xff, 0x7d])), 400);
    expectRefusal(await post(`{"a":"${'x'.repeat(1_100_000)}"}`), 413);
    expect((await post(good, 'application/fhir+json')).status).toBe(200);
  });

  it.each<[string, unknown, string]>([
    ['another type', { observations: searchset([{ resourceType: 'Patient', id: '1' }]) }, 'prefetch.observations'],
    ['no resource', { observations: 7 }, 'prefetch.observations'],
    ['another patient', { patient: { resourceType: 'Patient', id: '2' } }, 'prefetch.patient'],
    [
      'a result of another patient',
      { observations: searchset([{ ...record[2], subject: { reference: 'Patient/2' } } as Resource]) },
      'prefetch.observations.entry[0].resource',
    ],
    [
      'a result that breaks FHIR',
      { observations: searchset([{ ...record[2], status: 'done' } as unknown as Resource]) },
      'prefetch.observations.entry[0].resource',
    ],
  ])('400, with where: a prefetch that holds %s', async (_, changed, place) => {
    for (const fhirServer of [undefined, ehr.base]) {
      const answer = await call({
        prefetch: { ...prefetch, ...(changed as object) },
        ...(fhirServer === undefined ? {} : { fhirServer }),
      });
      expectRefusal(answer, 400);
      expect(answer.body.issue[0].expression[0]).toContain(place);
    }
  });
});

describe('the deadline', () => {
  it('CDS-16 a score that is late is said to be late and nothing else; it still comes into the prediction log', async () => {
    const proxy = await startHoldingProxy(ehr.base);
    const hasty = await startFhirsight({
      clock,
      settings: { CDS_FHIR_SERVERS: proxy.base, CDS_DEADLINE_MS: '100' },
    });
    try {
      const answer = await callHook(
        hasty.url,
        'prevent-base',
        patientView({ patient: '1', fhirServer: proxy.base, token }),
      );
      expect(cdsResponseFindings(answer.body)).toEqual([]);
      const [card] = answer.body.cards;
      expect(card).toMatchObject({ indicator: 'info', summary: expect.stringContaining('is being computed') });
      expect(card.detail).toBeUndefined();
      expect(Object.keys(cardPrediction(answer)).sort()).toEqual(['digest', 'model', 'outcome', 'state', 'version']);
      proxy.release();
      const row = async () => {
        const found = await hasty.house.database.query<{ state: string; service: string; subject_id: string }>(
          'select state, service, subject_id from prediction_log where card = $1',
          [card.uuid],
        );
        return found.rows[0];
      };
      await expect.poll(row, { timeout: 5000 }).toEqual({ state: 'scored', service: 'prevent-base', subject_id: '1' });
    } finally {
      await hasty.close();
      await proxy.close();
    }
  });

  it('a late prediction does not hold up the end: its reading stops, and its row is kept', async () => {
    const proxy = await startHoldingProxy(ehr.base);
    const hasty = await startFhirsight({
      clock,
      settings: { CDS_FHIR_SERVERS: proxy.base, CDS_DEADLINE_MS: '100', FHIR_TIMEOUT_MS: '120000' },
    });
    const kept: unknown[] = [];
    const { database } = hasty.house;
    const query = database.query.bind(database);
    database.query = ((text: string, values: unknown[]) => {
      if (text.includes('insert into prediction_log')) kept.push(JSON.parse(String(values[0])));
      return query(text, values);
    }) as typeof database.query;
    try {
      const late = await callHook(hasty.url, 'prevent-base', patientView({ patient: '1', fhirServer: proxy.base }));
      expect(cardPrediction(late).state).toBe('computing');
      const startedMs = performance.now();
      await hasty.close();
      expect(performance.now() - startedMs).toBeLessThan(5_000);
      expect(kept).toMatchObject([[{ state: 'failed', error_code: 'SHUTTING_DOWN' }]]);
    } finally {
      await hasty.close();
      await proxy.close();
    }
  });

  it('a call that is given up stops asking', async () => {
    const proxy = await startHoldingProxy(ehr.base);
    const patient = await startFhirsight({
      clock,
      settings: { CDS_FHIR_SERVERS: proxy.base, CDS_DEADLINE_MS: '5000' },
    });
    try {
      const request = httpRequest(`${patient.url}/cds-services/prevent-base`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      });
      request.on('error', () => undefined);
      request.end(JSON.stringify(patientView({ patient: '1', fhirServer: proxy.base })));
      await proxy.asked;
      request.destroy();
      await expect.poll(() => proxy.abandoned(), { timeout: 3000 }).toBeGreaterThan(0);
    } finally {
      await patient.close();
      await proxy.close();
    }
  });
});

describe('feedback', () => {
  const report = (body: unknown, service = 'prevent-base') => callHook(server.url, `${service}/feedback`, body);

  it('CDS-50 to CDS-54 is kept once and joined by the card to user, encounter and version', async () => {
    const hooked = await call({ fhirServer: ehr.base, encounter: 'visit', user: 'Practitioner/joined' });
    const { uuid } = hooked.body.cards[0];
    const item = {
      card: uuid,
      outcome: 'overridden',
      overrideReason: { reason: hooked.body.cards[0].overrideReasons[0], userComment: 'synthetic comment' },
      outcomeTimestamp: '2026-03-01T12:01:00Z',
    };
    for (const _ of [1, 2]) {
      const answer = await report({ feedback: [item, { ...item, card: randomUUID() }] });
      expect([answer.status, answer.text]).toEqual([200, '']);
    }
    const kept = await readFeedback(
      server.house.database,
      { tenant: 'default', cipher: server.house.sealing.values },
      {
        from: new Date('2026-03-01T00:00:00Z'),
        to: new Date('2026-03-02T00:00:00Z'),
      },
    );
    const mine = kept.filter(({ card }) => card === uuid);
    const { result, digest } = cardPrediction(hooked);
    expect(mine).toHaveLength(1);
    expect(mine[0]?.prediction).toEqual({
      base: ehr.base,
      user: 'Practitioner/joined',
      encounter: 'visit',
      model: 'prevent-base',
      version: '1.0.0',
      digest,
      result,
    });
    expect(log.text()).not.toContain('synthetic comment');
    expect(log.lines().some(({ event, name }) => [event, name].includes('cds-feedback.stored'))).toBe(true);
  });

  it('bad feedback is refused with where, and nothing of it is kept', async () => {
    const good = { card: randomUUID(), outcome: 'overridden', outcomeTimestamp: '2026-04-01T12:00:00Z' };
    const answer = await report({ feedback: [good, { ...good, outcome: 'ignored' }] });
    expect(expectRefusal(answer, 400)).toContain('feedback[1].outcome');
    const { rows } = await server.house.database.query('select 1 from cds_feedback where card = $1', [good.card]);
    expect(rows).toEqual([]);
    expectRefusal(await report(good), 400);
    expectRefusal(await report({ feedback: null }), 400);
  });
});

it('no token, no date of birth and no value came into the log', () => {
  expect(log.text()).toContain('cds-services');
  for (const secret of [token, dora.birthDate, '158.5', '243.5']) expect(log.text()).not.toContain(secret);
});
