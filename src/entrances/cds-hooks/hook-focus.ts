import { hash } from 'node:crypto';
import { invalidBody } from './check-body.ts';
import type { HookContext } from './context-reader.ts';
import type { HookService } from './hook-service.ts';

/** Of one call so many orders or appointments are predicted about. */
const mostFoci = 20;

/** An object that a context holds, and where it stands. */
interface Held {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly expression: string;
}

/**
 * What the predictions of a call are about, one each: the orders or appointments of the types that the manifest names, each
 * once, in the order of the call. A saved one is named by `Type/id`; a draft by its type and the SHA-256 of its content, for it may have no id
 * (CDS-71), and another content under the same id is another draft. Where the manifest names no types, one prediction is about
 * the patient alone: `undefined`.
 * @throws PARAMETER_INVALID for what is no resource, belongs to another patient or is selected but not there, and for too many
 */
export function hookFoci(
  { declared }: Pick<HookService, 'declared'>,
  context: HookContext,
): readonly (string | undefined)[] {
  const { focus: types } = declared;
  if (types === undefined) return [undefined];
  const foci = new Set<string>();
  for (const [name, field] of Object.entries(context.version.context)) {
    const value = context.fields[name];
    if (field.focus !== true || value === undefined) continue;
    const path = `context.${name}`;
    const named =
      field.is === 'reference' || field.is === 'references'
        ? [value].flat().map(String)
        : draftsIn(value, path, { context, name }).map((draft) => draftKey(draft, context.patientId));
    for (const focus of named) if (types.includes(focus.split(/[/#]/)[0] ?? '')) foci.add(focus);
    if (foci.size > mostFoci)
      throw refused(
        path,
        `${path} holds more than ${mostFoci} that this service predicts about. Send fewer at a time.`,
      );
  }
  return [...foci];
}

/** The drafts of a field; where another field selects among them, those alone. */
function draftsIn(value: unknown, path: string, { context, name }: { context: HookContext; name: string }): Held[] {
  const drafts = heldIn(value, path);
  const selecting = Object.entries(context.version.context).find(([, { selects }]) => selects === name)?.[0];
  const selected = selecting === undefined ? undefined : (context.fields[selecting] as readonly string[] | undefined);
  if (selected === undefined) return drafts;
  return selected.map((reference, index) => {
    const draft = drafts.find(({ resource }) => `${resource.resourceType}/${resource.id}` === reference);
    if (draft !== undefined) return draft;
    const at = `context.${selecting}[${index}]`;
    throw refused(at, `${at} names nothing that ${path} holds.`);
  });
}

function heldIn(value: unknown, path: string): Held[] {
  if (Array.isArray(value)) return value.map((one, index) => held(one, `${path}[${index}]`));
  const whole = held(value, path);
  if (whole.resource.resourceType !== 'Bundle') return [whole];
  const { entry = [] } = whole.resource;
  if (!Array.isArray(entry)) throw refused(`${path}.entry`, `${path}.entry must be a list.`);
  return entry.map((one: unknown, index) => {
    const at = `${path}.entry[${index}].resource`;
    return held(typeof one === 'object' && one !== null && 'resource' in one ? one.resource : undefined, at);
  });
}

function held(value: unknown, expression: string): Held {
  const isResource =
    typeof value === 'object' && value !== null && 'resourceType' in value && typeof value.resourceType === 'string';
  if (!isResource || !/^[A-Z][A-Za-z]{1,63}$/.test(String(value.resourceType)))
    throw refused(expression, `${expression} must be a resource of FHIR R4.`);
  return { resource: value as unknown as Held['resource'], expression };
}

function draftKey({ resource, expression }: Held, patientId: string): string {
  const owners = [resource.subject, resource.patient].flatMap((owner) => patientOf(owner) ?? []);
  if (owners.some((owner) => owner !== patientId))
    throw refused(
      expression,
      `${expression} belongs to another patient than context.patientId names.`,
      'business-rule',
    );
  return `${resource.resourceType}#${hash('sha256', inOneOrder(resource))}`;
}

/** Logical id of the Patient that a reference names. */
function patientOf(owner: unknown): string | undefined {
  if (typeof owner !== 'object' || owner === null || !('reference' in owner)) return undefined;
  return /(?:^|\/)Patient\/([^/]+)/.exec(String(owner.reference))?.[1];
}

/** The same text for the same content, in whatever order its elements come. */
function inOneOrder(resource: unknown): string {
  return JSON.stringify(resource, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}

function refused(expression: string, message: string, code: 'value' | 'business-rule' = 'value') {
  return invalidBody([{ code, message, expression }]);
}
