import { readFile } from 'node:fs/promises';
import type { Reference, Resource } from '@medplum/fhirtypes';
import { createFhirWriter, type FhirAnswer, type FhirCall, type FhirWriter } from '../../fhir/client/fhir-writer.ts';
import { isFhirId } from '../../fhir/reference.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Outbound } from '../../platform/outbound/create-outbound.ts';
import type { DeliveryOutcome, RemoteResource } from './delivery.ts';
import { deliveryFailure, retryAfterMs, unexpectedAnswer } from './delivery-failure.ts';
import type { SinkForm } from './render-result.ts';
import type { ServerSink } from './sink-schema.ts';

/** What an attempt failed with. */
export type Failed = Extract<DeliveryOutcome, { kind: 'failed' | 'dead' }>;

/** A FHIR server that results are delivered to, for the time of one batch. */
export interface SinkServer {
  readonly settings: ServerSink;
  readonly form: SinkForm;
  call(call: FhirCall): Promise<FhirAnswer>;
  /** What it calls the Devices of models, by their own reference; filled as they are found there. */
  readonly devices: Map<string, Promise<Reference | Failed>>;
}

/** The connection to a sink, and what its answers asked for. */
export interface SinkConnection {
  server(stop: AbortSignal): SinkServer;
  /** The longest Retry-After since it was last asked. */
  takeRetryAfterMs(): number | undefined;
  close(): Promise<void>;
}

/** What a sink is opened with. */
export interface SinkParts {
  readonly ownBase: string;
  readonly clock: Clock;
  readonly outbound: Pick<Outbound, 'to'>;
}

export function openSinkConnection(settings: ServerSink, { ownBase, clock, outbound }: SinkParts): SinkConnection {
  const { tokenFile, url: base, timeoutMs, subjectReferences, foreignReferences } = settings;
  const writer: FhirWriter = createFhirWriter({ base, outbound, timeoutMs });
  const form: SinkForm = {
    as: settings.kind === 'fhir-creates' ? settings.as : 'risk-assessment',
    rules: { ownBase, sinkBase: base, subjectReferences, foreignReferences },
    ...(settings.kind === 'fhir-creates' && settings.codes !== undefined ? { codes: settings.codes } : {}),
  };
  const devices: SinkServer['devices'] = new Map();
  let pauseMs: number | undefined;
  return {
    server: (stop) => ({
      settings,
      form,
      devices,
      call: async (call) => {
        const authorisation = tokenFile === undefined ? '' : await bearer(tokenFile);
        if (typeof authorisation !== 'string') return authorisation;
        const headers = { ...call.headers, ...(authorisation === '' ? {} : { authorization: authorisation }) };
        const answer = await writer.call({ ...call, headers }, stop);
        const asked = retryAfterMs(answer, clock.now());
        if (asked !== undefined) pauseMs = Math.max(pauseMs ?? 0, asked);
        return answer;
      },
    }),
    takeRetryAfterMs: () => {
      const taken = pauseMs;
      pauseMs = undefined;
      return taken;
    },
    close: () => writer.close(),
  };
}

/** Read at each use, so that a token can be renewed beside the running server. */
async function bearer(file: string): Promise<string | Extract<FhirAnswer, { kind: 'silent' }>> {
  try {
    const token = (await readFile(file, 'utf8')).trim();
    if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`;
    const reason = 'the token file must hold one bearer token, on one line and without spaces';
    return { kind: 'silent', reason, reached: false };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return { kind: 'silent', reason: `the token file cannot be read (${code})`, reached: false };
  }
}

/** What was sent need not come back: where it is and which version are in the headers. */
export const minimalAnswer = { prefer: 'return=minimal' } as const;

/** `identifier=…` as If-None-Exist and as a search. */
export function byIdentifier({ system, value }: { readonly system: string; readonly value: string }): string {
  // Within a value these characters are escaped (R4 section 3.1.1.4.0.1): a model's identifier holds bars.
  const escaped = (text: string) => text.replace(/[\\,$|]/g, '\\$&');
  return `identifier=${encodeURIComponent(`${escaped(system)}|${escaped(value)}`)}`;
}

/** The one resource there with the identifier; undefined where there is none. */
export async function findThere(
  server: SinkServer,
  type: string,
  identifier: { readonly system: string; readonly value: string },
): Promise<Resource | undefined | Failed> {
  const answer = await server.call({ method: 'GET', path: `${type}?${byIdentifier(identifier)}` });
  if (answer.kind === 'silent' || answer.status !== 200) return whileReading(deliveryFailure(answer));
  const bundle = answer.body as { resourceType?: string; entry?: { resource?: Resource }[] } | undefined;
  if (bundle?.resourceType !== 'Bundle') return whileReading(unexpectedAnswer(200, 'a search gave no Bundle'));
  // A server that ignores the parameter answers other resources: only those with the identifier count.
  const found = (bundle.entry ?? []).flatMap(({ resource }) =>
    resource?.resourceType === type && holdsIdentifier(resource, identifier) ? [resource] : [],
  );
  if (found.length > 1) {
    const text = `The sink holds ${found.length} ${type} resources with the identifier of the result: one must be removed there.`;
    return { kind: 'dead', error: { reason: 'multiple-matches', text } };
  }
  if (found[0] !== undefined && !isFhirId(found[0].id ?? ''))
    return whileReading(unexpectedAnswer(200, 'a match has no id'));
  return found[0];
}

/** A refused search is no fault of the result; and it leaves unknown what the sink holds. */
function whileReading(failed: Failed): Failed {
  if (failed.kind === 'failed') return { ...failed, unsure: true };
  return {
    kind: 'failed',
    counts: false,
    unsure: true,
    error: {
      ...failed.error,
      reason: 'refused-access',
      text: `${failed.error.text} It must support the search by identifier.`,
    },
  };
}

export function holdsIdentifier(
  resource: Resource,
  { system, value }: { readonly system: string; readonly value: string },
): boolean {
  const { identifier } = resource as { identifier?: { system?: string; value?: string }[] };
  return Array.isArray(identifier) && identifier.some((one) => one.system === system && one.value === value);
}

/** The version that an ETag names. */
export function versionOfTag(etag: string | undefined): string | undefined {
  return /"([^"]+)"/.exec(etag ?? '')?.[1];
}

/** `Type/id` and the version, out of a Location, or of the resource itself; the version also out of the ETag. */
export function remoteResource(
  { location, body, etag }: { readonly location?: string | undefined; readonly body?: unknown; readonly etag?: string },
  type: string,
): RemoteResource | undefined {
  const [, id, version] =
    new RegExp(`(?:^|/)${type}/([A-Za-z0-9\\-.]{1,64})(?:/_history/([A-Za-z0-9\\-.]{1,64}))?$`).exec(location ?? '') ??
    [];
  const named = version ?? versionOfTag(etag);
  if (id !== undefined) return { reference: `${type}/${id}`, ...(named === undefined ? {} : { version: named }) };
  const resource = body as Resource | undefined;
  if (resource?.resourceType !== type || !isFhirId(resource.id ?? '')) return undefined;
  const versionId = resource.meta?.versionId ?? named;
  return { reference: `${type}/${resource.id}`, ...(versionId === undefined ? {} : { version: versionId }) };
}

export function isFailed(value: object | undefined): value is Failed {
  return value !== undefined && 'kind' in value && (value.kind === 'failed' || value.kind === 'dead');
}
