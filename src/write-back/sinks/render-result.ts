import { createHash } from 'node:crypto';
import type { Coding, Device, DocumentReference, Meta, Provenance, Reference, Resource } from '@medplum/fhirtypes';
import { PredictionError } from '../../platform/errors.ts';
import type { ResultResource } from '../../results/result-resource.ts';
import type { StoredResult } from './delivery.ts';
import { deviceOf } from './device-of.ts';
import { renderDocumentReference } from './render-document-reference.ts';
import { renderObservations } from './render-observations.ts';
import { type ReferenceRules, withSinkReferences } from './sink-references.ts';

/** In what form a sink takes results. */
export interface SinkForm {
  readonly as: 'risk-assessment' | 'observation' | 'document-reference';
  readonly rules: ReferenceRules;
  /** The sink's own codes for Observations, by outcome id. */
  readonly codes?: Readonly<Record<string, Coding>>;
}

/** One resource of a result, and the identifier by which the sink finds it again. */
export interface SinkResource {
  readonly identifier: { readonly system: string; readonly value: string };
  /** Without id and version. */
  readonly resource: ResultResource | DocumentReference;
}

/**
 * The result as the sink takes it. Throws RESULT_INVALID where somebody took its identifier away: the sink could not find
 * it again.
 * @param device what the sink calls the model's Device
 */
export function renderResult(form: SinkForm, result: StoredResult, device: Reference): readonly SinkResource[] {
  const own = result.resource.identifier?.find((one) => one?.value === result.identifier);
  if (own?.system === undefined)
    throw new PredictionError(
      'RESULT_INVALID',
      `${result.resource.resourceType}/${result.resource.id} no longer carries the identifier of its result: it is not delivered.`,
    );
  const identifier = { system: own.system, value: result.identifier };
  const named = withoutServerMeta(withSinkReferences(result.resource, form.rules, deviceNames(result, device)));
  switch (form.as) {
    case 'risk-assessment':
      return [{ identifier, resource: named }];
    case 'observation':
      return named.resourceType === 'RiskAssessment'
        ? renderObservations(named, identifier, form.codes ?? {})
        : [{ identifier, resource: named }];
    case 'document-reference':
      return [{ identifier, resource: renderDocumentReference(named, identifier, result.superseded) }];
  }
}

/** The Device without the own store's id: the sink gives it one, and finds it by its identifier. */
export function renderDevice(device: Device): Device {
  return withoutServerMeta(device);
}

/**
 * Who made the delivered result. Its id depends on the result alone, and on the version of a report: sent twice, it is still one.
 * @param targets what the sink calls the result's resources
 */
export function renderProvenance(
  form: SinkForm,
  result: StoredResult,
  targets: readonly string[],
  device: Reference,
): (Provenance & { id: string }) | undefined {
  if (result.provenance === undefined) return undefined;
  const { target: _, ...rest } = result.provenance;
  const named = withSinkReferences(rest, form.rules, deviceNames(result, device));
  const version = result.made === undefined ? '' : ` version ${result.made}`;
  const id =
    form.as === 'risk-assessment' && version === ''
      ? result.identifier
      : createHash('sha256').update(`${form.as} ${result.identifier}${version}`).digest('hex');
  return { ...withoutServerMeta(named as Provenance), id, target: targets.map((reference) => ({ reference })) };
}

/** What the result itself says of its model, for a sink that gets no Device. */
export function deviceByIdentifier({ resource }: StoredResult): Reference {
  const { reference: _, ...named } = deviceOf(resource) ?? {};
  return named;
}

function deviceNames({ resource }: StoredResult, device: Reference): ReadonlyMap<string, Reference> {
  const own = deviceOf(resource)?.reference;
  return own === undefined ? new Map() : new Map([[own, device]]);
}

function withoutServerMeta<Kind extends Resource>(resource: Kind): Kind {
  const { id: _, meta, ...rest } = resource;
  const { versionId: _v, lastUpdated: _l, source: _s, ...kept }: Meta = meta ?? {};
  return { ...rest, ...(Object.keys(kept).length === 0 ? {} : { meta: kept }) } as Kind;
}
