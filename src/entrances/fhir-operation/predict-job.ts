import { STATUS_CODES } from 'node:http';
import type { Bundle, BundleEntry, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { successOutcome } from '../../fhir/operation-outcome.ts';
import type { PreferredReturn } from '../../http/content-negotiation.ts';
import { describeError } from '../../http/error-response.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { PredictionRequest } from '../../prediction/prediction-request.ts';
import type { OperationWork } from '../../runs/operation-jobs/operation-worker.ts';
import { answerPrediction, type PredictOperation } from './predict-operation.ts';

/** What is kept of an asynchronous `$predict` until it is answered. */
interface PredictJob {
  readonly request: PredictionRequest;
  readonly preferred: PreferredReturn;
}

/** A job as text. An as-of that the call left out is that of the call: a repetition gives the same result. */
export function predictJobText({ request, preferred }: PredictJob, askedAt: Date): string {
  const asOf = request.asOf ?? minuteOf(askedAt);
  return JSON.stringify({ request: { ...request, asOf }, preferred, leftOutAsOf: request.asOf === undefined });
}

/** An as-of that the call left out lies never in the future of the server that works, whose clock may be behind. */
function readPredictJob(text: string, now: Date): PredictJob {
  const { request, preferred, leftOutAsOf } = JSON.parse(text) as PredictJob & {
    readonly request: { readonly asOf: string };
    readonly leftOutAsOf?: boolean;
  };
  const asOf = new Date(request.asOf);
  const isAhead = leftOutAsOf === true && asOf > now;
  return { preferred, request: { ...request, asOf: isAhead ? minuteOf(now) : asOf } };
}

function minuteOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 60_000) * 60_000);
}

/** What is done for an asynchronous `$predict`: its answer is a Bundle of type batch-response (OP-52), also where it fails. */
export function predictWork(
  predict: PredictOperation['predict'],
  options: { readonly timeoutMs: number; readonly storeBase: string; readonly now: () => Date },
): OperationWork {
  return {
    async answer(text, signal) {
      const { request, preferred } = readPredictJob(text, options.now());
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]);
      const result = await answerPrediction(predict, request, inTime);
      return JSON.stringify(batchResponse(answeredEntry(result, preferred, options.storeBase)));
    },
    failure: (text, error) =>
      JSON.stringify(failedPredict(error, readPredictJob(text, options.now()).request.requestId)),
  };
}

/** The Bundle of an operation that failed, or that nobody worked on. */
export function failedPredict(error: unknown, requestId: string): Bundle {
  const { status, outcome } = describeError(error, requestId);
  return batchResponse({ response: { status: statusText(status), outcome } });
}

/** The Bundle of an operation that waited until nobody would answer it any more. */
export function overduePredict(requestId: string): Bundle {
  const message = 'Nobody worked on this request in time; nothing was computed. Ask anew.';
  return failedPredict(new PredictionError('DEADLINE_EXCEEDED', message), requestId);
}

function batchResponse(entry: BundleEntry): Bundle {
  return { resourceType: 'Bundle', type: 'batch-response', entry: [entry] };
}

/** A stored result says where it lies, and may be left out; one that is not stored is there whole. */
function answeredEntry(result: Resource, preferred: PreferredReturn, storeBase: string): BundleEntry {
  const { id, meta } = result;
  const status = statusText(200);
  if (id === undefined || meta?.versionId === undefined) return { resource: result, response: { status } };
  const name = `${result.resourceType}/${id}`;
  const outcome: OperationOutcome | undefined =
    preferred === 'OperationOutcome' ? successOutcome(`${name} is stored.`) : undefined;
  return {
    fullUrl: `${storeBase}/${name}`,
    ...(preferred === 'representation' ? { resource: result } : {}),
    response: {
      status,
      location: `${name}/_history/${meta.versionId}`,
      etag: `W/"${meta.versionId}"`,
      ...(meta.lastUpdated === undefined ? {} : { lastModified: meta.lastUpdated }),
      ...(outcome === undefined ? {} : { outcome }),
    },
  };
}

function statusText(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ''}`.trim();
}
