import type { Bundle, OperationOutcome, Patient, Resource } from '@medplum/fhirtypes';
import { patientKey } from '../../model-catalog/prefetch-templates.ts';
import type { ErrorIssue } from '../../platform/errors.ts';
import type { HeldAnswers, Seed } from '../../prediction/prediction-request.ts';
import { invalidBody } from './check-body.ts';

export interface PrefetchQuestions {
  /** Logical id of the Patient the call is about. */
  readonly patientId: string;
  /** Resource type that answers each key, `patient` included. */
  readonly types: ReadonlyMap<string, string>;
  readonly findings: Findings;
}

/** Findings against base R4; empty where the value is valid. With `entries: false` a Bundle's resources are skipped. */
export type Findings = (value: unknown, path: string, options?: { readonly entries?: boolean }) => ErrorIssue[];

/**
 * What the prefetch of a call answers: complete answers only. A key that is not there, an OperationOutcome, a search that
 * failed or that goes on on another page is not answered (CDS-23 to CDS-25); null is answered with nothing. Keys that
 * nobody asked for are ignored. The resources of a search are checked by the path, like those of a server.
 * @throws PARAMETER_INVALID for an answer that is no FHIR R4, is of another type, or is another patient
 */
export function readPrefetch(prefetch: Readonly<Record<string, unknown>>, questions: PrefetchQuestions): HeldAnswers {
  const answers = new Map<string, readonly Seed[]>();
  for (const [key, type] of questions.types) {
    if (!Object.hasOwn(prefetch, key)) continue;
    const answer = readAnswer(prefetch[key], `prefetch.${key}`, { key, type }, questions);
    if (answer !== undefined) answers.set(key, answer);
  }
  return answers;
}

interface Question {
  readonly key: string;
  readonly type: string;
}

function readAnswer(
  value: unknown,
  path: string,
  question: Question,
  { findings, patientId }: PrefetchQuestions,
): readonly Seed[] | undefined {
  if (value === null) return [];
  const resource = checkedResource(value, path, findings);
  if (resource.resourceType === 'OperationOutcome') return undefined;
  const held =
    resource.resourceType === 'Bundle'
      ? entriesOf(resource, path, question, findings)
      : [{ resource, expression: path }];
  if (held === undefined || held.some((seed) => isPart(seed.resource))) return undefined;
  for (const seed of held) checkType(seed, question, patientId);
  return held;
}

function checkedResource(value: unknown, path: string, findings: Findings): Resource {
  const found = findings(value, path, { entries: false });
  if (found.length > 0) throw invalidBody(found);
  return value as Resource;
}

/** The resources of a Bundle that answer, or undefined where it is no complete answer. */
function entriesOf(bundle: Bundle, path: string, { key, type }: Question, findings: Findings): Seed[] | undefined {
  if (key === patientKey) throw refused(path, `${path} must be a Patient, not a Bundle.`);
  if (bundle.type !== 'searchset' && bundle.type !== 'collection')
    throw refused(`${path}.type`, `${path} must be a Bundle of type searchset or collection.`);
  const held: Seed[] = [];
  const matches = new Set<string>();
  for (const [index, { resource, search }] of (bundle.entry ?? []).entries()) {
    if (resource === undefined) continue;
    const expression = `${path}.entry[${index}].resource`;
    const isUsual = resource.resourceType === type || resource.resourceType === 'Medication';
    const checked = isUsual ? resource : checkedResource(resource, expression, findings);
    if (checked.resourceType === 'OperationOutcome') {
      if (hasFailed(checked)) return undefined;
      continue;
    }
    const included = search?.mode === 'include';
    if (!included) matches.add(`${checked.resourceType}/${checked.id ?? index}`);
    // Of what was included only the Medications of the orders say something.
    if (!included || isUsual) held.push({ resource: checked, expression });
  }
  const goesOn = (bundle.link ?? []).some(({ relation }) => relation === 'next');
  const isWhole = bundle.total === undefined ? !goesOn : matches.size >= bundle.total;
  return isWhole ? held : undefined;
}

function hasFailed({ issue }: OperationOutcome): boolean {
  return issue.some(({ severity }) => severity === 'error' || severity === 'fatal');
}

/** A server that was asked for parts of resources says so. */
function isPart({ meta }: Resource): boolean {
  const tags: unknown = meta?.tag;
  return Array.isArray(tags) && tags.some((tag: { code?: unknown } | null) => tag?.code === 'SUBSETTED');
}

function checkType({ resource, expression }: Seed, { key, type }: Question, patientId: string): void {
  const fits =
    resource.resourceType === type || (resource.resourceType === 'Medication' && type === 'MedicationRequest');
  if (!fits)
    throw refused(expression, `${expression} is a ${resource.resourceType}; prefetch.${key} asks for ${type}.`);
  if (key === patientKey && (resource as Patient).id !== patientId)
    throw refused(expression, `${expression} is another Patient than context.patientId names, or has no id.`);
}

function refused(expression: string, message: string) {
  return invalidBody([{ code: 'value', message, expression }]);
}
