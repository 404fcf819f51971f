import type { Device, Provenance } from '@medplum/fhirtypes';
import type { ResultResource } from '../../results/result-resource.ts';

/** A stored result with what belongs to it, as it stands now in the own store. */
export interface StoredResult {
  readonly identifier: string;
  readonly resource: ResultResource & { id: string };
  readonly superseded: boolean;
  /** It no longer says what it said first: somebody else changed it. */
  readonly tampered: boolean;
  /** Of a report, which is amended: the version that says what it says now. */
  readonly made?: number;
  readonly device?: Device & { id: string };
  /** Who made it and of what; its target is the version that was made. */
  readonly provenance?: Provenance & { id: string };
}

/** A resource as the sink named it. */
export interface RemoteResource {
  /** `Type/id`; of an object of DICOM `urn:oid:` and its UID. */
  readonly reference: string;
  readonly version?: string;
}

/** What a sink holds of one result. */
export interface DeliveryReceipt {
  /** Base URL or folder: what was delivered to one place is not taken for delivered to another. */
  readonly at: string;
  readonly superseded: boolean;
  /** Of a report: which version of it. */
  readonly made?: number;
  /** Of a report: its logical id in the own store. */
  readonly report?: string;
  /** The resources by the identifier they carry there, objects of DICOM by what they are; empty where nothing had to be delivered. */
  readonly resources: Readonly<Record<string, RemoteResource>>;
  /** Name of the file, for a sink of files. */
  readonly file?: string;
  /** Why nothing was delivered: it gave way, or was deleted, before its turn. */
  readonly skipped?: 'superseded' | 'deleted';
}

/** Why an attempt failed, in words of ours: nothing of the sink's answer, which may name the patient. */
export interface DeliveryError {
  readonly reason:
    | 'unreachable' // no connection
    | 'no-answer' // timeout or reset: the sink may hold it
    | 'busy' // 429, 503
    | 'refused-access' // 401, 403, 404 and the like: the sink's configuration
    | 'failed' // 5xx
    | 'conflict' // 409, 412
    | 'multiple-matches' // the sink holds the identifier more than once
    | 'rejected' // 400, 422: the sink does not accept this result
    | 'gone' // deleted at the sink
    | 'keeps-tag' // the sink does not let go of a tag
    | 'keeps-objects' // a PACS has objects of a report that has given way
    | 'another-patient' // a PACS files images under somebody else than when they were read
    | 'no-images' // a PACS does not have the images that a report is of
    | 'changed' // the stored result is no longer what the model computed
    | 'changed-there' // people at the sink changed a report that was amended here
    | 'unexpected-answer' // not what FHIR prescribes
    | 'unprepared' // the stored result cannot be put into the sink's form
    | 'not-writable'; // the folder
  readonly status?: number;
  readonly text: string;
}

/** What is known of one result of a batch after an attempt. */
export type DeliveryOutcome =
  | { readonly kind: 'delivered'; readonly receipt: DeliveryReceipt }
  | {
      readonly kind: 'failed';
      readonly error: DeliveryError;
      /** False where the sink as a whole is at fault: the result is not to blame, and does not die of it. */
      readonly counts: boolean;
      /** True where the sink may hold it all the same. */
      readonly unsure: boolean;
      /** To be tried without the others of the batch, at once. */
      readonly alone?: true;
      /** What was done before the attempt failed. */
      readonly receipt?: DeliveryReceipt;
    }
  | {
      readonly kind: 'dead';
      readonly error: DeliveryError;
      readonly unsure?: boolean;
      readonly receipt?: DeliveryReceipt;
    }
  /** Not tried: the sink failed on another, or the server stops. */
  | { readonly kind: 'unsent' };

/** True where more of the same would end the same: the sink, not the result, is at fault, or nobody can tell. */
export function isSinkFault(outcome: DeliveryOutcome): boolean {
  return (
    outcome.kind === 'failed' &&
    (!outcome.counts || outcome.error.reason === 'no-answer') &&
    !isRefusedInCompany(outcome)
  );
}

function isRefusedInCompany(outcome: DeliveryOutcome): boolean {
  return outcome.kind === 'failed' && outcome.alone === true && outcome.error.reason !== 'no-answer';
}

/** One result to deliver, and what earlier attempts left. */
export interface Delivery {
  readonly result: StoredResult;
  readonly receipt?: DeliveryReceipt;
  /** An attempt ended without an answer: look before writing. */
  readonly unsure: boolean;
  /** It is unsure, and has changed since that attempt. */
  readonly changed: boolean;
}

export interface Attempt {
  /** The same again for a batch whose sender died. */
  readonly batch: string;
  /** Names this very attempt. */
  readonly sender: string;
}

export interface BatchOutcome {
  /** By identifier; one for each delivery. */
  readonly outcomes: ReadonlyMap<string, DeliveryOutcome>;
  /** The sink asked to be left alone for so long. */
  readonly retryAfterMs?: number;
}

/** A place that results are delivered to. It keeps nothing in mind that a crash may not take. */
export interface Sink {
  readonly name: string;
  /** Base URL or folder. */
  readonly at: string;
  /**
   * Throws only where nothing is known of what became of the batch: it is then taken up again as unsure.
   * @param stop ends the requests under way
   * @param stopping true where nothing more shall be begun
   */
  deliver(
    attempt: Attempt,
    deliveries: readonly Delivery[],
    stop: AbortSignal,
    stopping: () => boolean,
  ): Promise<BatchOutcome>;
  close(): Promise<void>;
}

type Held = Pick<DeliveryReceipt, 'superseded' | 'made' | 'report'>;
type Stands = Pick<StoredResult, 'superseded' | 'made' | 'resource'>;

/** The part of a receipt that says what of a result a sink holds. */
export function heldOf({ superseded, made, resource }: Stands): Held {
  return { superseded, ...(made === undefined ? {} : { made, report: resource.id }) };
}

/** True where the sink holds what the result says now, whether or not it stands: a report that was deleted and made anew counts from 1 again. */
export function isOfVersion(receipt: Held, { made, resource }: Stands): boolean {
  return receipt.made === made && receipt.report === (made === undefined ? undefined : resource.id);
}

/** True where the sink holds the result as it is now. */
export function isAsItIs(receipt: Held, result: Stands): boolean {
  return receipt.superseded === result.superseded && isOfVersion(receipt, result);
}
