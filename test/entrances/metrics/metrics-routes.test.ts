import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseExposition, total } from '../../support/exposition.ts';
import { predictOverHttp } from '../../support/predict-call.ts';
import { type StartedFhirsight, startFhirsight } from '../../support/start-fhirsight.ts';

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight();
});
afterAll(() => server?.close());

const scrape = (init?: RequestInit) => fetch(`${server.url}/metrics`, init);

describe('GET /metrics', () => {
  it('answers in the text format, with what was asked before', async () => {
    expect((await predictOverHttp(server.fhir, 'nobody', { model: 'prevent-base' })).status).toBe(404);
    const answer = await scrape();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const samples = parseExposition(await answer.text());
    const model = { model: 'prevent-base', version: '1.0.0' };
    expect(total(samples, 'fhirsight_predictions_total', { ...model, state: 'failed' })).toBe(1);
    expect(total(samples, 'fhirsight_prediction_errors_total', { code: 'SUBJECT_UNKNOWN' })).toBe(1);
    expect(total(samples, 'fhirsight_http_requests_total', { status: '404', method: 'POST' })).toBe(1);
    expect(total(samples, 'fhirsight_events_total', { event: 'server.started' })).toBe(1);
  });

  it.each(['text/plain', 'application/openmetrics-text', '*/*', 'application/xml'])(
    'answers a scraper that accepts %s',
    async (accept) => {
      expect((await scrape({ headers: { Accept: accept } })).status).toBe(200);
    },
  );

  it('never has a path or an id as a label', async () => {
    await fetch(`${server.url}/secret-path/Jane-Doe`);
    await fetch(`${server.fhir}/Patient/Jane-Doe?name=Jane-Doe`);
    await predictOverHttp(server.fhir, 'Jane-Doe', { model: 'Jane-Doe' });
    expect(await (await scrape()).text()).not.toContain('Jane');
  });

  it.each(['POST', 'PUT', 'DELETE'])('refuses %s', async (method) => {
    const answer = await scrape({ method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('answers only under the name of the server', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${server.url}/metrics`, { headers: { Host: 'attacker.example' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});
