import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { LogEvent } from '../platform/events.ts';
import type { PredictionOutcome, Scored } from '../prediction/prediction-outcome.ts';
import { watchEventLoop } from './event-loop-delay.ts';
import { createFeatureTally, type FeatureCount } from './feature-tally.ts';
import type { PredictionRow } from './prediction-row.ts';

/** What is counted and timed, for Prometheus. Labels are names that this program or its models declare, and nothing else. */
export interface Metrics {
  readonly contentType: string;
  /** Everything in the text format of Prometheus. */
  text(): Promise<string>;
  onEvent(event: LogEvent): void;
  onPrediction(row: PredictionRow, outcome: PredictionOutcome | undefined): void;
  /** Told of what a shadow said beside the default. */
  onShadow(shadow: Scored, shown: Scored): void;
  /** Stops measuring; the counts stay. */
  close(): void;
}

const secondsBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const differenceBuckets = [0, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 50];
const stages = ['gather', 'features', 'infer', 'explain', 'build', 'write'] as const;
const modelLabels = ['model', 'version'] as const;

/** @param openRequests how many HTTP requests are under way */
export function createMetrics(openRequests: () => number = () => 0): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const tally = createFeatureTally();
  const eventLoop = watchEventLoop();
  const route = boundedLabel(200);
  let withProcess = false;

  const requests = new Counter({
    name: 'fhirsight_http_requests_total',
    help: 'HTTP requests that were answered, by the pattern of their route.',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'fhirsight_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['route', 'method'],
    buckets: secondsBuckets,
    registers,
  });
  const predictions = new Counter({
    name: 'fhirsight_predictions_total',
    help: 'Predictions that were asked for: scored, abstained or failed. Model and version are unknown where a call names none that is loaded.',
    labelNames: [...modelLabels, 'entrance', 'state'],
    registers,
  });
  const predictionSeconds = new Histogram({
    name: 'fhirsight_prediction_duration_seconds',
    help: 'Time of one prediction from its request to its outcome, without its row in the log.',
    labelNames: ['entrance'],
    buckets: secondsBuckets,
    registers,
  });
  const stageSeconds = new Histogram({
    name: 'fhirsight_prediction_stage_seconds',
    help: 'Time of one step of a prediction.',
    labelNames: ['stage'],
    buckets: secondsBuckets,
    registers,
  });
  const abstentions = new Counter({
    name: 'fhirsight_abstentions_total',
    help: 'Outcomes about which a model did not speak, once for each reason.',
    labelNames: [...modelLabels, 'outcome', 'verdict', 'reason'],
    registers,
  });
  const errors = new Counter({
    name: 'fhirsight_prediction_errors_total',
    help: 'Predictions that failed, by error code.',
    labelNames: ['code'],
    registers,
  });
  const shadows = new Counter({
    name: 'fhirsight_shadow_predictions_total',
    help: 'Predictions of shadow versions beside the default, shown to nobody: scored, abstained or failed.',
    labelNames: [...modelLabels, 'state'],
    registers,
  });
  const shadowDifference = new Histogram({
    name: 'fhirsight_shadow_score_difference',
    help: 'How far the score of a shadow lies from that of the default, in the unit of the outcome; probabilities are 0 to 1.',
    labelNames: [...modelLabels, 'outcome'],
    buckets: differenceBuckets,
    registers,
  });
  const events = new Counter({
    name: 'fhirsight_events_total',
    help: 'Events of the log by name, whether or not LOG_LEVEL shows them.',
    labelNames: ['event'],
    registers,
  });
  const deliveries = new Counter({
    name: 'fhirsight_deliveries_total',
    help: 'Results by sink: sent, skipped (superseded or deleted before), failed (each try), dead (given up).',
    labelNames: ['sink', 'state'],
    registers,
  });
  const runMembers = new Counter({
    name: 'fhirsight_run_members_total',
    help: 'Members of cohort runs that finished: scored, abstained or failed.',
    labelNames: ['state'],
    registers,
  });
  const heldCards = new Counter({
    name: 'fhirsight_cds_cards_held_total',
    help: 'CDS Hooks cards that were held back, because the same user was told the same within the time that the model declares.',
    labelNames: ['service', ...modelLabels],
    registers,
  });
  const feedback = new Counter({
    name: 'fhirsight_cds_feedback_total',
    help: 'Answers to CDS Hooks cards, each once: accepted or overridden, and by the reason that the service offers; other for any other.',
    labelNames: ['service', ...modelLabels, 'outcome', 'reason'],
    registers,
  });
  const reviews = new Counter({
    name: 'fhirsight_report_reviews_total',
    help: 'Reports of studies that a person confirmed or rejected.',
    labelNames: [...modelLabels, 'verdict'],
    registers,
  });
  registerFeatureCounters(registry, tally.counts);
  new Gauge({
    name: 'fhirsight_http_requests_open',
    help: 'HTTP requests under way; MAX_OPEN_REQUESTS says how many there may be.',
    registers,
    collect() {
      this.set(openRequests());
    },
  });
  new Gauge({
    name: 'fhirsight_event_loop_delay_seconds',
    help: 'How late timers fired since the last scrape, by quantile.',
    labelNames: ['quantile'],
    registers,
    collect() {
      this.reset();
      for (const [quantile, seconds] of eventLoop.take()) this.set({ quantile }, seconds);
    },
  });

  return {
    contentType: registry.contentType,
    async text() {
      // Only who is asked for them pays for the metrics of the process: Node.js never gives up watching its collector.
      if (!withProcess) collectDefaultMetrics({ register: registry });
      withProcess = true;
      return registry.metrics();
    },
    onEvent(event) {
      events.inc({ event: event.name });
      switch (event.name) {
        case 'request.finished': {
          const labels = { route: route(event.route), method: methodLabel(event.method) };
          requests.inc({ ...labels, status: event.status });
          requestSeconds.observe(labels, event.durationMs / 1000);
          break;
        }
        case 'delivery.sent':
          deliveries.inc({ sink: event.sink, state: 'sent' }, event.results);
          deliveries.inc({ sink: event.sink, state: 'skipped' }, event.skipped);
          break;
        case 'delivery.failed':
          deliveries.inc({ sink: event.sink, state: 'failed' }, event.results);
          break;
        case 'delivery.dead':
          deliveries.inc({ sink: event.sink, state: 'dead' }, event.results);
          break;
        case 'cds-hook.held-back':
          heldCards.inc({ service: event.service, model: event.model, version: event.version });
          break;
        case 'cds-feedback.counted': {
          const { service, model, version, outcome, reason, answers } = event;
          feedback.inc({ service, model, version, outcome, reason }, answers);
          break;
        }
        case 'report.reviewed':
          reviews.inc({ model: event.model, version: event.version, verdict: event.verdict });
          break;
        case 'run.finished':
          for (const state of ['scored', 'abstained', 'failed'] as const) runMembers.inc({ state }, event[state]);
          break;
      }
    },
    onPrediction(row, outcome) {
      const { entrance, state } = row;
      const model = { model: row.model_id ?? 'unknown', version: row.model_version ?? 'unknown' };
      if (row.shadow) {
        shadows.inc({ ...model, state });
        return;
      }
      predictions.inc({ ...model, entrance, state });
      predictionSeconds.observe({ entrance }, row.total_ms / 1000);
      if (row.error_code !== null) errors.inc({ code: row.error_code });
      if (outcome === undefined) return;
      for (const stage of stages) {
        const ms = outcome.timings[`${stage}Ms`];
        if (ms !== undefined) stageSeconds.observe({ stage }, ms / 1000);
      }
      tally.add(outcome.model, outcome.inputs.features);
      for (const [outcomeId, verdict] of outcome.inputs.verdicts) {
        if (verdict.state === 'score') continue;
        for (const { reason } of verdict.reasons)
          abstentions.inc({ ...model, outcome: outcomeId, verdict: verdict.state, reason });
      }
    },
    onShadow(shadow, shown) {
      const { id: model, version } = shadow.model;
      for (const [outcome, score] of shadow.scores) {
        const other = shown.scores.get(outcome);
        if (other !== undefined) shadowDifference.observe({ model, version, outcome }, Math.abs(score - other));
      }
    },
    close: () => eventLoop.close(),
  };
}

/** The counters that are read from the tally when they are asked for. */
function registerFeatureCounters(registry: Registry, counts: () => FeatureCount[]): void {
  const registers = [registry];
  const labelNames = [...modelLabels, 'feature'] as const;
  new Counter({
    name: 'fhirsight_feature_observed_total',
    help: 'Features that had a value in a prediction: observed in the record, derived from others, or asserted by the caller.',
    labelNames: [...labelNames, 'state'],
    registers,
    collect() {
      this.reset();
      for (const { model, version, feature, state, count } of counts()) {
        if (state !== 'missing' && state !== 'assumed-absent') this.inc({ model, version, feature, state }, count);
      }
    },
  });
  new Counter({
    name: 'fhirsight_feature_assumed_total',
    help: 'Features that were assumed absent in a prediction, as the model declares.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { model, version, feature, state, count } of counts()) {
        if (state === 'assumed-absent') this.inc({ model, version, feature }, count);
      }
    },
  });
  new Counter({
    name: 'fhirsight_feature_missing_total',
    help: 'Features that were missing in a prediction, by reason.',
    labelNames: [...labelNames, 'because'],
    registers,
    collect() {
      this.reset();
      for (const { model, version, feature, state, because, count } of counts()) {
        if (state === 'missing') this.inc({ model, version, feature, because }, count);
      }
    },
  });
}

const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function methodLabel(method: string): string {
  return methods.has(method) ? method : 'other';
}

/** Lets the first `most` values through and calls all others `other`: a mounted app brings routes of its own. */
function boundedLabel(most: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= most) return 'other';
    known.add(value);
    return value;
  };
}
