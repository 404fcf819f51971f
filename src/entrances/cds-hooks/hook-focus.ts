import { hash } from 'node:crypto';
import { invalidBody } from './check-body.ts';
import type { HookContext } from './context-reader.ts';
import { giveWayAfter } from './give-way.ts';
import type { HookService } from './hook-service.ts';

/** Of one call so many orders or appointments are predicted about. */
const mostFoci = 20;
/** The event loop is held no longer than this between two drafts. */
const turnMs = 5;

/** An object that a context holds, and where it stands. */
interface Held {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly expression: string;
}

/**
 * What the predictions of a call are about, one each: the orders or appointments of the types that the manifest names, each
 * once, in the order of the call. A saved one is named by `Type/id`, and nothing is known of it: whose it is says the record
 * alone. A draft is named by its type and the SHA-256 of its content, for it may have no id (CDS-71), and another content
 * under the same id is another draft; one that names another patient is refused, whatever its type. Where the manifest names
 * no types, one prediction is about the patient alone: `undefined`. Gives way to others between drafts, which may be large.
 * @throws PARAMETER_INVALID for what is no resource, belongs to another patient or is selected but not there, and for too many
 */
export async function hookFoci(
  { declared }: Pick<HookService, 'declared'>,
  context: HookContext,
): Promise<readonly (string | undefined)[]> {
  const { focus: types } = declared;
  if (types === undefined) return [undefined];
  const giveWay = giveWayAfter(turnMs);
  const foci = new Set<string>();
  for (const [name, field] of Object.entries(context.version.context)) {
    const value = context.fields[name];
    if (field.focus !== true || value === undefined) continue;
    const path = `context.${name}`;
    if (field.is === 'reference' || field.is === 'references') {
      const named = new Set([value].flat().map(String));
      for (const focus of named) if (types.includes(focus.split('/')[0] ?? '')) foci.add(focus);
    } else {
      const drafts = draftsIn(value, path, { context, name });
      for (const draft of drafts) refuseForeign(draft, context.patientId);
      const wanted = drafts.filter(({ resource }) => types.includes(String(resource.resourceType)));
      if (wanted.length > mostFoci) throw tooMany(path);
      for (const draft of wanted) {
        await giveWay();
        foci.add(draftKey(draft));
      }
    }
    if (foci.size > mostFoci) throw tooMany(path);
  }
  return [...foci];
}

function tooMany(path: string) {
  return refused(path, `${path} holds more than ${mostFoci} that this service predicts about. Send fewer at a time.`);
}

/** The drafts of a field; where another field selects among them, those alone, each once. */
function draftsIn(value: unknown, path: string, { context, name }: { context: HookContext; name: string }): Held[] {
  const drafts = heldIn(value, path);
  const selecting = Object.entries(context.version.context).find(([, { selects }]) => selects === name)?.[0];
  const selected = selecting === undefined ? undefined : (context.fields[selecting] as readonly string[] | undefined);
  if (selected === undefined) return drafts;
  const byName = new Map<string, Held>();
  for (const draft of drafts) {
    const key = `${draft.resource.resourceType}/${draft.resource.id}`;
    if (!byName.has(key)) byName.set(key, draft);
  }
  return [...new Set(selected)].map((reference) => {
    const draft = byName.get(reference);
    if (draft !== undefined) return draft;
    const at = `context.${selecting}[${selected.indexOf(reference)}]`;
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

/** An order names its patient; among those who take part in an appointment may be others, but then also the patient. */
function refuseForeign({ resource, expression }: Held, patientId: string): void {
  const owners = [resource.subject, resource.patient].flatMap((owner) => patientOf(owner) ?? []);
  const { participant } = resource;
  const attending = (Array.isArray(participant) ? participant : []).flatMap((one: unknown) =>
    typeof one === 'object' && one !== null && 'actor' in one ? (patientOf(one.actor) ?? []) : [],
  );
  const isForeign =
    owners.some((owner) => owner !== patientId) || (attending.length > 0 && !attending.includes(patientId));
  if (!isForeign) return;
  throw refused(expression, `${expression} belongs to another patient than context.patientId names.`, 'business-rule');
}

function draftKey({ resource }: Held): string {
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
