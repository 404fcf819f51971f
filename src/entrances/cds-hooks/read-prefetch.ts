import type { Patient, Resource } from '@medplum/fhirtypes';
import { patientKey } from '../../model-catalog/prefetch-templates.ts';
import type { BegunAnswer, HeldAnswers, Seed } from '../../prediction/prediction-request.ts';
import { invalidBody } from './check-body.ts';
import { type FailedSearch, failedSearch } from './failed-search.ts';
import { giveWayAfter } from './give-way.ts';
import { type Findings, isPart, readSearch, type SearchAnswer } from './read-search.ts';

export interface PrefetchQuestions {
  /** Logical id of the Patient the call is about. */
  readonly patientId: string;
  /** Resource type that answers each key, `patient` included. */
  readonly types: ReadonlyMap<string, string>;
  readonly findings: Findings;
}

/** What the prefetch of a call says, by key. */
export interface Prefetched {
  readonly answers: HeldAnswers;
  /** First pages, of answers whose further pages are at the server. */
  readonly begun: ReadonlyMap<string, BegunAnswer>;
  /** What the client could not read itself. */
  readonly failed: ReadonlyMap<string, FailedSearch>;
}

/** The event loop is held no longer than this at a time. */
const turnMs = 5;

/**
 * What the prefetch of a call answers: complete answers only. A key that is not there, or a search that left something out,
 * is not answered (CDS-23); a search that goes on on another page has begun to be (CDS-25); null is answered with nothing; an
 * OperationOutcome, or one with an error inside a Bundle, is a search that failed (CDS-24).
 * Keys that nobody asked for are ignored. The resources of a search are checked by the path, like those of a server.
 * @throws PARAMETER_INVALID for an answer that is no FHIR R4, is of another type, or is another patient
 */
export async function readPrefetch(
  prefetch: Readonly<Record<string, unknown>>,
  { types, patientId, findings }: PrefetchQuestions,
): Promise<Prefetched> {
  const giveWay = giveWayAfter(turnMs);
  const answers = new Map<string, readonly Seed[]>();
  const begun = new Map<string, BegunAnswer>();
  const failed = new Map<string, FailedSearch>();
  for (const [key, type] of types) {
    if (!Object.hasOwn(prefetch, key)) continue;
    const value = prefetch[key];
    const path = `prefetch.${key}`;
    const answer =
      key !== patientKey && isBundle(value)
        ? await readSearch(value, path, { type, findings, giveWay })
        : readLone(value, path, { key, type, patientId, findings });
    if (answer === 'partial') continue;
    if ('passes' in answer) failed.set(key, answer);
    else if ('next' in answer) begun.set(key, answer);
    else answers.set(key, answer);
  }
  return { answers, begun, failed };
}

interface LoneQuestion extends Pick<PrefetchQuestions, 'patientId' | 'findings'> {
  readonly key: string;
  readonly type: string;
}

function readLone(value: unknown, path: string, question: LoneQuestion): SearchAnswer {
  const { key, type, patientId } = question;
  if (value === null) return [];
  if (isBundle(value)) throw refused(path, `${path} must be a Patient, not a Bundle.`);
  const found = question.findings(value, path);
  if (found.length > 0) throw invalidBody(found);
  const resource = value as Resource;
  if (resource.resourceType === 'OperationOutcome') return failedSearch(resource);
  if (isPart(resource)) return 'partial';
  if (resource.resourceType !== type)
    throw refused(path, `${path} is a ${resource.resourceType}; it asks for ${type}.`);
  if (key === patientKey && (resource as Patient).id !== patientId)
    throw refused(path, `${path} is another Patient than context.patientId names, or has no id.`);
  return [{ resource, expression: path }];
}

function isBundle(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'resourceType' in value && value.resourceType === 'Bundle';
}

function refused(expression: string, message: string) {
  return invalidBody([{ code: 'value', message, expression }]);
}
