import { createResourceValidator, type ResourceValidator } from '../../fhir/validate-resource.ts';
import type { Finding } from '../finding.ts';
import { type Draft, type DraftType, fillDraft, subjectElement } from './draft.ts';

const intents = ['proposal', 'plan', 'order'];
/** Said by the server for each patient, or by the EHR that takes the draft. */
const filledIn = ['id', 'meta', 'text', 'contained', 'subject', 'for', 'encounter', 'authoredOn', 'requester'];

/**
 * Reads the drafts of a folder: R4, not yet signed, and about nobody.
 * @returns a parser; undefined from it where something is wrong, with a finding that says what
 */
export function draftParser(): (file: string, bytes: Uint8Array, findings: Finding[]) => Draft | undefined {
  let validator: ResourceValidator | undefined;
  return (file, bytes, findings) => {
    const before = findings.length;
    const find = (path: string, message: string): void => void findings.push({ file, path, message });
    const value = parsed(bytes);
    if (!isObject(value)) {
      find('', 'is no JSON object in UTF-8');
      return undefined;
    }
    if (!isDraftType(value.resourceType)) {
      find('/resourceType', `must be one of ${Object.keys(subjectElement).join(', ')}`);
      return undefined;
    }
    if (value.status !== 'draft') find('/status', 'must be draft: a clinician decides');
    if (!intents.includes(String(value.intent))) find('/intent', `must be one of ${intents.join(', ')}`);
    for (const name of filledIn) if (name in value) find(`/${name}`, 'is not the model’s to say; leave it out');
    for (const place of referencesIn(value)) find(place, 'refers to a resource: a model knows none of a site');
    if (findings.length > before) return undefined;
    const draft = value as Draft;
    validator ??= createResourceValidator();
    for (const { message } of validator.findings(fillDraft(draft, { patientId: 'example', encounterId: 'example' })))
      find('', `is not valid in FHIR R4: ${message}`);
    return findings.length > before ? undefined : draft;
  };
}

function isDraftType(type: unknown): type is DraftType {
  return typeof type === 'string' && Object.hasOwn(subjectElement, type);
}

function referencesIn(value: unknown, place = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === 'reference' ? [`${place}/${key}`] : referencesIn(item, `${place}/${key}`),
  );
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
