import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMetrics, type Metrics } from '../../src/monitoring/metrics.ts';
import { rowOfFailure, rowOfOutcome } from '../../src/monitoring/prediction-row.ts';
import { PredictionError } from '../../src/platform/errors.ts';
import { parseExposition, type Sample, total } from '../support/exposition.ts';
import { predictionRequest, scoredOutcome } from '../support/prediction-outcome.ts';

const frame = { id: 'x', tenant: 'default', recorded: new Date('2026-03-01T12:00:00Z'), totalMs: 5 };
let metrics: Metrics;
beforeEach(() => {
  metrics = createMetrics();
});
afterEach(() => metrics.close());

const read = async (): Promise<Sample[]> => parseExposition(await metrics.text());

function scored(): void {
  const outcome = scoredOutcome();
  metrics.onPrediction(rowOfOutcome(frame, predictionRequest(), outcome), outcome);
}

function finished(route: string, method = 'GET', status = 200): void {
  metrics.onEvent({
    name: 'request.finished',
    method,
    route,
    status,
    durationMs: 1.5,
    requestBytes: 0,
    responseBytes: 0,
  });
}

describe('the metrics', () => {
  it('count predictions by model, version, entrance and state, and time every stage', async () => {
    scored();
    scored();
    const samples = await read();
    const labels = { model: 'prevent-base', version: '1.0.0', entrance: 'fhir-operation', state: 'scored' };
    expect(total(samples, 'fhirsight_predictions_total', labels)).toBe(2);
    for (const stage of ['gather', 'features', 'infer', 'explain', 'build', 'write'])
      expect(total(samples, 'fhirsight_prediction_stage_seconds_count', { stage }), stage).toBe(2);
    expect(total(samples, 'fhirsight_prediction_stage_seconds_sum', { stage: 'gather' })).toBe(0.005);
    expect(total(samples, 'fhirsight_prediction_duration_seconds_sum')).toBe(0.01);
  });

  it('count each feature of each prediction once: observed, assumed or missing with the reason', async () => {
    scored();
    scored();
    await read();
    scored();
    const samples = await read();
    const of = (feature: string) => ({ model: 'prevent-base', version: '1.0.0', feature });
    expect(total(samples, 'fhirsight_feature_observed_total', { ...of('cholesterol'), state: 'observed' })).toBe(3);
    expect(total(samples, 'fhirsight_feature_observed_total', { ...of('age'), state: 'derived' })).toBe(3);
    expect(total(samples, 'fhirsight_feature_observed_total', { ...of('phosphate'), state: 'imputed' })).toBe(3);
    expect(total(samples, 'fhirsight_feature_assumed_total', of('diabetes'))).toBe(3);
    for (const feature of ['creatinine', 'magnesium'])
      expect(total(samples, 'fhirsight_feature_missing_total', { ...of(feature), because: 'not-found' })).toBe(3);
    const all = ['observed', 'assumed', 'missing'].map((state) => total(samples, `fhirsight_feature_${state}_total`));
    expect(all.reduce((sum, count) => sum + count, 0)).toBe(6 * 3);
  });

  it('count abstentions by outcome and reason, and failures by code', async () => {
    scored();
    const error = new PredictionError('SUBJECT_UNKNOWN', 'no such patient');
    const request = predictionRequest({ model: 'Jane Doe' });
    metrics.onPrediction(rowOfFailure(frame, request, { error, fhirBase: 'http://x' }), undefined);
    const samples = await read();
    expect(
      total(samples, 'fhirsight_abstentions_total', {
        model: 'prevent-base',
        outcome: 'hf-10y',
        verdict: 'insufficient-data',
        reason: 'creatinine:not-found',
      }),
    ).toBe(1);
    expect(total(samples, 'fhirsight_prediction_errors_total', { code: 'SUBJECT_UNKNOWN' })).toBe(1);
    expect(total(samples, 'fhirsight_predictions_total', { model: 'unknown', state: 'failed' })).toBe(1);
    expect(await metrics.text()).not.toContain('Jane');
  });

  it('count requests by route, method and status, and every event by its name', async () => {
    finished('/fhir/R4/:type/:id');
    finished('/fhir/R4/:type/:id', 'GET', 404);
    metrics.onEvent({ name: 'error.unexpected', error: new Error('x') });
    const samples = await read();
    const route = '/fhir/R4/:type/:id';
    expect(total(samples, 'fhirsight_http_requests_total', { route, method: 'GET', status: '404' })).toBe(1);
    expect(total(samples, 'fhirsight_http_request_duration_seconds_sum', { route })).toBe(0.003);
    expect(total(samples, 'fhirsight_events_total', { event: 'error.unexpected' })).toBe(1);
  });

  it('count what was delivered by sink, and the members of runs', async () => {
    const common = { sink: 'ehr', durationMs: 1 };
    metrics.onEvent({ name: 'delivery.sent', ...common, results: 7, skipped: 2 });
    metrics.onEvent({ name: 'delivery.failed', ...common, results: 3, reason: 'refused', retryInMs: 0 });
    metrics.onEvent({ name: 'delivery.dead', sink: 'ehr', results: 1, reason: 'refused' });
    metrics.onEvent({ name: 'run.finished', run: 'r', scored: 90, abstained: 9, failed: 1 });
    const samples = await read();
    const delivered = ['sent', 'skipped', 'failed', 'dead'].map((state) =>
      total(samples, 'fhirsight_deliveries_total', { sink: 'ehr', state }),
    );
    expect(delivered).toEqual([7, 2, 3, 1]);
    expect(total(samples, 'fhirsight_run_members_total', { state: 'abstained' })).toBe(9);
  });

  it('stay bounded whatever is asked: unknown methods and a flood of routes become "other"', async () => {
    for (let index = 0; index < 1000; index++) finished(`/app/${index}`, index % 2 === 0 ? 'GET' : 'PROPFIND');
    const samples = await read();
    const series = samples.filter(({ name }) => name === 'fhirsight_http_requests_total');
    expect(series.length).toBeLessThan(210);
    expect(total(series, 'fhirsight_http_requests_total')).toBe(1000);
    expect(new Set(series.map(({ labels }) => labels.method))).toEqual(new Set(['GET', 'other']));
  });

  it('show the process, and an event loop that was held up', async () => {
    await vi.waitFor(
      async () => {
        const until = performance.now() + 100;
        while (performance.now() < until);
        await new Promise((resolve) => setTimeout(resolve, 20));
        const delay = total(await read(), 'fhirsight_event_loop_delay_seconds', { quantile: '1' });
        expect(delay).toBeGreaterThan(0.05);
      },
      { timeout: 10_000, interval: 30 },
    );
    const samples = await read();
    expect(total(samples, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  it('are those of one server: two in one process count for themselves', async () => {
    const other = createMetrics();
    scored();
    expect(total(parseExposition(await other.text()), 'fhirsight_predictions_total')).toBe(0);
    other.close();
  });
});
