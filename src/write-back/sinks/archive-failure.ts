import { PredictionError } from '../../platform/errors.ts';
import { RequestTrouble } from '../../platform/outbound/request-trouble.ts';
import type { DeliveryError, DeliveryOutcome } from './delivery.ts';
import type { KeptObjects } from './object-archive.ts';

type Failed = Extract<DeliveryOutcome, { kind: 'failed' | 'dead' }>;

/**
 * What an error of an archive means for the report: see `deliveryFailure`. An archive says itself what it has, and is asked before anything is
 * sent or settled, so that nothing is unsure.
 * Undefined for what is no error of an archive, and of no report.
 */
export function archiveFailure(error: unknown): Failed | undefined {
  if (!(error instanceof PredictionError)) return undefined;
  const { code, message } = error;
  switch (code) {
    case 'IMAGES_UNREACHABLE':
      return unreachable(message, error.cause instanceof RequestTrouble ? error.cause : undefined, error);
    case 'OVERLOADED':
    case 'ENGINE_UNAVAILABLE':
      return failed({ reason: 'unprepared', text: message }, false);
    case 'RESULT_INVALID':
      return { kind: 'dead', error: { reason: 'unprepared', text: message } };
    default:
      return undefined;
  }
}

function unreachable(text: string, trouble: RequestTrouble | undefined, { issues }: PredictionError): Failed {
  const { status, neverLeft } = trouble ?? {};
  if (neverLeft === true) return failed({ reason: 'unreachable', text }, false);
  if (status === undefined) {
    const isLate = trouble !== undefined || issues.some(({ code }) => code === 'timeout');
    return failed({ reason: isLate ? 'no-answer' : 'unexpected-answer', text }, true);
  }
  const said = (reason: DeliveryError['reason']): DeliveryError => ({ reason, status, text });
  if ([429, 502, 503, 504].includes(status)) return failed(said('busy'), false);
  if (status === 408 || status >= 500) return failed(said('failed'), true);
  if ([400, 413, 415, 422].includes(status)) return { kind: 'dead', error: said('rejected') };
  return failed(said('refused-access'), false);
}

function failed(error: DeliveryError, counts: boolean): Failed {
  return { kind: 'failed', counts, unsure: false, error };
}

const longestPauseMs = 3_600_000;

/** How long the archive asks to be left alone, in milliseconds, at most an hour. */
export function pauseAskedBy(error: unknown): number {
  const trouble = error instanceof PredictionError ? error.cause : undefined;
  return trouble instanceof RequestTrouble ? Math.min(trouble.retryAfterMs ?? 0, longestPauseMs) : 0;
}

/** Out of resources (A7xx), and processing failures: PS3.18 table I.2-2. The same object may be kept at another time. */
function mayKeepLater(reason: number | undefined): boolean {
  return reason === 0x0110 || (reason !== undefined && reason >= 0xa700 && reason <= 0xa7ff);
}

/** What it means that an archive does not keep all the objects that it was sent. */
export function notKept({ kept, refused }: KeptObjects): Failed {
  const each = refused.map(({ name, reason }) =>
    reason === undefined ? name : `${name} (failure reason ${reason.toString(16).toUpperCase().padStart(4, '0')})`,
  );
  const count = Object.keys(kept).length + refused.length;
  const text = `The archive does not keep ${refused.length} of ${count} objects: ${each.join(', ')}. See its log, then re-drive.`;
  const error: DeliveryError = { reason: 'rejected', text };
  return refused.every(({ reason }) => mayKeepLater(reason)) ? failed(error, true) : { kind: 'dead', error };
}
