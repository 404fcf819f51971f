import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ParametersParameter, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { operationDefinition } from '../../../src/entrances/fhir-operation/operation-definition.ts';
import { predictRoutes } from '../../../src/entrances/fhir-operation/predict-routes.ts';
import { parseScopes } from '../../../src/http/access/scopes.ts';
import { anyone, type Principal } from '../../../src/http/principal.ts';
import { requestContext } from '../../../src/http/request-context.ts';
import { createApp } from '../../../src/http/server-app.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import type { PredictionRequest } from '../../../src/prediction/prediction-request.ts';
import { imagingStudy } from '../../support/build-imaging-study.ts';
import { type Answer, send } from '../../support/fhir-test-server.ts';
import { silentLogger } from '../../support/silent-logger.ts';
import { studyList } from '../../support/study-list.ts';

const store = 'http://127.0.0.1:8080/fhir/R4';
const uidOf = (uid: string) => [{ system: 'urn:dicom:uid', value: `urn:oid:${uid}` }];
const held = [
  imagingStudy({ id: 's1', identifier: uidOf('1.2.3.4') }),
  imagingStudy({ id: 'of-two', subject: { reference: `${store}/Patient/2` }, identifier: uidOf('1.2.3.5') }),
  imagingStudy({ id: 'twin-a', identifier: uidOf('1.2.3.6') }),
  imagingStudy({ id: 'twin-b', identifier: [{ system: 'urn:dicom:uid', value: '1.2.3.6' }] }),
  imagingStudy({
    id: 'elsewhere',
    subject: { reference: 'https://other.example.org/fhir/Patient/1' },
    identifier: uidOf('1.2.3.7'),
  }),
];

/** What reached the path, which the test ends there. */
let asked: PredictionRequest[] = [];
let jobs: { readonly subject: string; readonly request: string }[] = [];
let base = '';
const server = createServer();

beforeAll(async () => {
  const operation = {
    definition: operationDefinition('predict'),
    timeZone: 'UTC',
    bases: [store],
    studies: studyList(store, held),
    describeModel: (id: string) => ({ readsImages: id !== 'labs', ...(id === 'dear' ? { costSeconds: 20 } : {}) }),
    validate: () => undefined,
    authorise: () => undefined,
    predict: async (request: PredictionRequest): Promise<never> => {
      asked.push(request);
      throw new PredictionError('IMAGES_UNREACHABLE', 'The path was reached.');
    },
  };
  const routes = predictRoutes(operation, {
    maxBodyBytes: 1_000_000,
    timeoutMs: 10_000,
    asyncAboveSeconds: 10,
    storeBase: store,
    jobs: {
      create: async (job) => {
        jobs.push(job);
        return 'job-1';
      },
    },
    now: () => new Date('2026-03-01T10:00:30Z'),
  });
  const app = createApp({
    routes: [
      {
        path: '/fhir/R4',
        handler: (request, response, next) => {
          const scope = request.get('X-Scope');
          const fhir: Principal['fhir'] =
            scope === undefined ? 'everything' : { scopes: parseScopes(scope).fhir, patient: '1' };
          requestContext(response).principal = { ...anyone, fhir };
          next();
        },
      },
      { path: '/fhir/R4', handler: routes },
    ],
    newRequestId: randomUUID,
    logger: silentLogger,
    notReady: async () => [],
  });
  server.on('request', app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir/R4`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
  jobs = [];
});

interface Call {
  readonly model?: string;
  readonly more?: readonly ParametersParameter[];
  readonly headers?: Readonly<Record<string, string>>;
}

function predict(place: string, { model = 'chest', more = [], headers = {} }: Call = {}): Promise<Answer> {
  const parameter = [{ name: 'model', valueString: model }, ...more];
  return send(`${base}/${place}`, 'POST', { resourceType: 'Parameters', parameter }, { ...headers });
}
const study = (valueString: string): ParametersParameter => ({ name: 'study', valueString });
const subject = (valueString: string): ParametersParameter => ({ name: 'subject', valueString });
const resource = (sent: Resource): ParametersParameter => ({ name: 'resource', resource: sent });

describe('a prediction about a study', () => {
  it.each([
    ['the study in the URL', 'ImagingStudy/s1/$predict', []],
    ['a reference at ImagingStudy', 'ImagingStudy/$predict', [study('ImagingStudy/s1')]],
    ['an absolute reference at system level', '$predict', [study(`${store}/ImagingStudy/s1`)]],
    ['a Study Instance UID', 'ImagingStudy/$predict', [study('1.2.3.4')]],
    ['a UID as urn:oid', '$predict', [study('urn:oid:1.2.3.4')]],
    ['a study of the patient in the URL', 'Patient/1/$predict', [study('1.2.3.4')]],
    ['the study and its subject', '$predict', [subject('Patient/1'), study('ImagingStudy/s1')]],
    ['the one study among the resources', 'ImagingStudy/$predict', [resource(imagingStudy({ id: 's1' }))]],
  ])('GX-1 DW-1: is of the subject of the study, named by %s', async (_, place, more) => {
    await predict(place, { more });
    expect(asked).toMatchObject([{ subject: '1', focus: 'ImagingStudy/s1' }]);
  });

  it('DW-1: takes a study that only the call holds where nobody else is asked', async () => {
    const own = imagingStudy({ id: 'draft', subject: { reference: 'Patient/9' }, identifier: uidOf('1.9') });
    const more = [resource(own), study('1.9'), { name: 'useServerData', valueBoolean: false }];
    await predict('$predict', { more });
    expect(asked).toMatchObject([{ subject: '9', focus: 'ImagingStudy/draft', origin: { from: 'caller' } }]);
  });

  it.each([
    ['no such id', 'ImagingStudy/none/$predict', [], 404, /no ImagingStudy\/none at the record source/],
    ['no such UID', '$predict', [study('1.2.9')], 404, /no ImagingStudy of this UID/],
    ['a UID of two studies', '$predict', [study('1.2.3.6')], 412, /Several ImagingStudies have/],
    ['no study at all', 'ImagingStudy/$predict', [], 400, /needs the parameter 'study'/],
    ['no study and no subject', '$predict', [], 400, /needs the parameter 'subject'/],
    ['two places for one study', 'ImagingStudy/s1/$predict', [study('1.2.3.4')], 400, /stands in the URL/],
    ['what is no study', '$predict', [study('Patient/1')], 400, /names no study/],
    ['a UID that is too long', '$predict', [study(`1.${'2'.repeat(63)}`)], 400, /names no study/],
    ['a study of another server', '$predict', [study('https://x.example/ImagingStudy/s1')], 400, /names no study/],
    ['a study of another patient', 'Patient/1/$predict', [study('1.2.3.5')], 422, /of another patient/],
    ['another subject', 'ImagingStudy/s1/$predict', [subject('Patient/2')], 422, /of another patient/],
    ['a study of nobody here', 'ImagingStudy/elsewhere/$predict', [], 404, /names no Patient of this server/],
  ])('DW-1 OP-21: is refused by name for %s', async (_, place, more, status, says) => {
    const { status: answered, body } = await predict(place, { more });
    expect(answered).toBe(status);
    expect(JSON.stringify(body)).toMatch(says);
    expect(asked).toEqual([]);
  });

  it('DW-1: is refused where several studies are sent, or one without an id, or none of those sent is meant', async () => {
    const { id: _, ...withoutId } = imagingStudy();
    const two = [resource(imagingStudy({ id: 'a' })), resource(imagingStudy({ id: 'b' }))];
    const alone = [resource(imagingStudy({ id: 'a' })), { name: 'useServerData', valueBoolean: false }];
    for (const [more, says] of [
      [two, /2 ImagingStudies/],
      [[resource(withoutId)], /has no id/],
      [[...alone, study('ImagingStudy/s1')], /nobody else is asked/],
    ] as const) {
      const { status, body } = await predict('ImagingStudy/$predict', { more });
      expect([status, JSON.stringify(body)]).toEqual([400, expect.stringMatching(says)]);
    }
  });

  it('GX-1: is not made by a model that reads no images', async () => {
    const { status, body } = await predict('ImagingStudy/s1/$predict', { model: 'labs' });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringMatching(/labs reads no images/)]);
  });

  it('OP-5 OP-6: takes POST only', async () => {
    const { status, headers } = await send(`${base}/ImagingStudy/s1/$predict`);
    expect([status, headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('scopes of a call about a study', () => {
  const withScope = (scope: string) => ({ headers: { 'X-Scope': scope } });

  it('SM-12: reading a study needs ImagingStudy.r, and finding it by its UID ImagingStudy.s besides', async () => {
    const none = await predict('ImagingStudy/s1/$predict', withScope('system/Patient.r'));
    expect([none.status, none.text]).toEqual([403, expect.stringContaining('system/ImagingStudy.r')]);
    const byUid = await predict('$predict', { more: [study('1.2.3.4')], ...withScope('system/ImagingStudy.r') });
    expect([byUid.status, byUid.text]).toEqual([403, expect.stringContaining('system/ImagingStudy.s')]);
    await predict('ImagingStudy/s1/$predict', withScope('system/ImagingStudy.r'));
    expect(asked).toHaveLength(1);
  });

  it('SM-12: a token of one patient is told of a study of another one what it is told of none', async () => {
    const scope = withScope('patient/ImagingStudy.rs');
    await predict('ImagingStudy/s1/$predict', scope);
    expect(asked).toHaveLength(1);
    const [other, none] = [
      await predict('ImagingStudy/of-two/$predict', scope),
      await predict('ImagingStudy/none/$predict', scope),
    ];
    expect([other.status, none.status]).toEqual([404, 404]);
    const plain = ({ body }: Answer) =>
      JSON.stringify(body.issue?.[0]?.diagnostics).replace(/ImagingStudy\/[a-z-]+/, '');
    expect(plain(other)).toBe(plain(none));
  });
});

describe('a model that takes longer than ASYNC_ABOVE_SECONDS', () => {
  it('OP-50: is answered later, with Content-Location and no word of a preference that nobody had', async () => {
    const { status, headers } = await predict('ImagingStudy/s1/$predict', { model: 'dear' });
    expect(status).toBe(202);
    expect(headers.get('content-location')).toBe(`${store}/_async/job-1`);
    expect(headers.get('preference-applied')).toBeNull();
    expect(jobs).toMatchObject([{ subject: '1' }]);
    expect(JSON.parse(jobs[0]?.request ?? '')).toMatchObject({ request: { focus: 'ImagingStudy/s1', subject: '1' } });
    expect(asked).toEqual([]);
  });

  it('OP-50: is answered at once where the caller says that it waits for as long', async () => {
    await predict('ImagingStudy/s1/$predict', { model: 'dear', headers: { Prefer: 'wait=20' } });
    await predict('ImagingStudy/s1/$predict', { model: 'dear', headers: { Prefer: 'return=minimal, wait=60' } });
    expect([asked.length, jobs.length]).toEqual([2, 0]);
    await predict('ImagingStudy/s1/$predict', { model: 'dear', headers: { Prefer: 'wait=19' } });
    await predict('ImagingStudy/s1/$predict', { model: 'dear', headers: { Prefer: 'respond-async, wait=60' } });
    expect([asked.length, jobs.length]).toEqual([2, 2]);
  });
});
