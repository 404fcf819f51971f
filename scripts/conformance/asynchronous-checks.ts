import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { Bundle } from '@medplum/fhirtypes';
import { type Check, needed } from './check.ts';
import { issueCodes, parametersOf, predicted } from './predict-call.ts';
import { type Answer, type Site, send, wholeScope } from './site.ts';

const asynchronous = { Prefer: 'respond-async' };

/** `$predict` with Prefer: respond-async (OP-50 to OP-55). */
export const asynchronousChecks: readonly Check[] = [
  {
    ids: ['OP-50', 'OP-51', 'OP-52'],
    says: '202 with the address of the status, and then a Bundle with the result',
    async run(site) {
      const status = await started(site, parametersOf(site));
      const { done, polls } = await finished(site, status);
      const [entry] = (done.json as Bundle).entry ?? [];
      assert.equal((done.json as Bundle).type, 'batch-response');
      assert.match(entry?.response?.status ?? '', /^200/);
      assert.ok(entry?.resource, 'the entry holds the result');
      return `202, ${polls} polls, then 200 with a batch-response`;
    },
  },
  {
    ids: ['OP-52'],
    says: 'A failure is told inside the Bundle',
    async run(site) {
      const status = await started(site, parametersOf({ ...site, record: site.record.slice(0, 1) }));
      const { done } = await finished(site, status);
      const [entry] = (done.json as Bundle).entry ?? [];
      assert.match(entry?.response?.status ?? '', /^422/, done.text);
      assert.equal(entry?.response?.outcome?.resourceType, 'OperationOutcome');
      return 'an abstention: 200, in it 422 with an OperationOutcome';
    },
  },
  {
    ids: ['OP-54'],
    says: 'DELETE is 202, and then there is no status',
    async run(site) {
      const status = await started(site, parametersOf(site));
      const removed = await at(site, status, 'DELETE');
      const after = await at(site, status);
      assert.deepEqual([removed.status, after.status], [202, 404]);
      issueCodes(after);
      return '202, then 404';
    },
  },
  {
    ids: ['OP-55'],
    says: 'Nobody else sees the status',
    async run(site) {
      const accessToken = needed(site.accessToken, 'the server asks for no token: every caller is the same');
      const status = await started(site, parametersOf(site));
      const stranger = await accessToken(wholeScope, {
        claims: { sub: 'another-client', client_id: 'another-client' },
      });
      const other = await send(status, { headers: { Authorization: `Bearer ${stranger}` } });
      assert.ok([401, 403, 404].includes(other.status), `${other.status}`);
      assert.match(status, /[0-9A-Za-z_-]{20,}$/);
      return `another client: ${other.status}; the id has ${/[^/]+$/.exec(status)?.[0].length} characters`;
    },
  },
];

async function started(site: Site, body: unknown): Promise<string> {
  const answer = await predicted(site, { body, headers: asynchronous });
  assert.equal(answer.status, 202, answer.text);
  const status = answer.headers.get('content-location') ?? '';
  assert.ok(URL.canParse(status), `Content-Location must be absolute: ${status}`);
  return status;
}

async function at(site: Site, status: string, method = 'GET'): Promise<Answer> {
  return site.call(status.slice(site.fhir.length + 1), { method });
}

/** Polls as it is told to, for a minute at most. */
async function finished(site: Site, status: string): Promise<{ done: Answer; polls: number }> {
  for (let polls = 1; polls < 60; polls++) {
    const answer = await at(site, status);
    if (answer.status === 200) return { done: answer, polls };
    assert.ok([202, 429].includes(answer.status), `${answer.status} ${answer.text}`);
    const seconds = Number(answer.headers.get('retry-after') ?? Number.NaN);
    assert.ok(seconds >= 0, 'Retry-After is missing');
    if (answer.status === 202) assert.ok((answer.headers.get('x-progress') ?? '').length < 100);
    await wait(1000 * Math.min(seconds, 5));
  }
  return assert.fail('the job did not end within a minute');
}
