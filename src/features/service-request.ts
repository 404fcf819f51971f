import type { CodeableConcept, ServiceRequest } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { ServiceRequestDefinition } from '../model-catalog/feature-map-schema.ts';
import type { ClinicalRecord } from '../records/clinical-record.ts';
import { localReference } from '../records/local-reference.ts';
import { compileUndecodable } from './decode-candidate.ts';
import { compileEvents, type RecordedEvent } from './event.ts';
import { type FeatureExtractor, missing } from './feature-extractor.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** Intents of what was asked for with authority (FHIR request-intent). */
const ordered: readonly string[] = ['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order'];
/** Statuses of what is not, or no longer, asked for. */
const notAsked: readonly string[] = ['draft', 'revoked', 'entered-in-error'];

type Reading = ReturnType<RecordedEvent['read']>;

/**
 * Services that were asked for at or before as-of: whether there is one that counts, how many, or how long ago the last
 * one. The status is today's: FHIR keeps none of the past.
 * @throws RangeError where `per` cannot be counted in
 */
export function compileServiceRequest(definition: ServiceRequestDefinition): FeatureExtractor {
  const { label, codes, category } = definition;
  const statuses: readonly string[] = definition.status ?? ['active', 'completed'];
  const intents: readonly string[] = definition.intent ?? ordered;
  const isService = compileList('service', codes, definition.suspectText);
  const isCategory = compileList('category of a service', category);

  const read = (request: ServiceRequest): Reading => {
    if (changesMeaning(request)) return { unknown: 'a service request carries a modifier that is not known here' };
    const isUnknown = request.status === 'unknown';
    if (!isUnknown && !statuses.includes(request.status)) return false;
    const verdicts = [isService([request.code]), isCategory(request.category ?? [])];
    if (verdicts.includes(false)) return false;
    const doubt = verdicts.find((verdict) => typeof verdict === 'object');
    return doubt ?? (isUnknown ? { unknown: 'the status of a service request is unknown' } : true);
  };

  const extract = compileEvents(definition, ({ record }) => {
    const wanted = definition.of === undefined ? undefined : basisOf(record);
    return record
      .byType('ServiceRequest')
      .filter(({ id }) => wanted === undefined || (id !== undefined && wanted.includes(id)))
      .filter(({ doNotPerform, intent, status }) => {
        return doNotPerform !== true && intents.includes(intent) && !notAsked.includes(status);
      })
      .map((request) => ({
        resource: request,
        at: request.authoredOn,
        encounter: request.encounter?.reference,
        read: () => read(request),
      }));
  });
  if (definition.of === undefined) return extract;
  return (context) => {
    const { record } = context;
    if (record.encounter === undefined) return missing('no-encounter', `${label}: the call names no encounter`);
    const found = extract(context);
    if (found.state === 'observed') return found;
    const held = record.byType('ServiceRequest').map(({ id }) => id);
    if (basisOf(record).every((id) => id !== undefined && held.includes(id))) return found;
    const detail = `${label}: the encounter is for a request that is not in the record`;
    return missing('undecodable', detail, [record.sourceReference(record.encounter)]);
  };
}

/** Ids of the requests that the encounter of the call is for; undefined for one that is named otherwise. */
function basisOf({ encounter, subject }: ClinicalRecord): (string | undefined)[] {
  return (encounter?.basedOn ?? []).map(({ reference }) => localReference(reference, subject)?.id);
}

/** Whether one of some concepts is listed; where none is, each of them must be understood. Without a list all are. */
function compileList(
  kind: string,
  tokens: readonly string[] | undefined,
  suspectText?: readonly string[],
): (concepts: readonly (CodeableConcept | undefined)[]) => Reading {
  if (tokens === undefined) return () => true;
  const isListed = compileTokens(tokens);
  const undecodableBecause = compileUndecodable(kind, tokens, suspectText);
  return (concepts) => {
    if (concepts.some(isListed)) return true;
    const all = concepts.length === 0 ? [undefined] : concepts;
    const [unknown] = all.flatMap((concept) => undecodableBecause(concept) ?? []);
    return unknown === undefined ? false : { unknown };
  };
}
