import type { Resource } from '@medplum/fhirtypes';
import { isMedicationType, medicationTypes } from '../medication-types.ts';
import { matchesOneOf, type ResourceQuery } from './find-resources.ts';
import { endpointReferences } from './search-parameters.ts';
import type { StoreContext } from './store-context.ts';

/** What of the store is read at once. */
export interface ManyResources {
  /** Logical ids of Patients. */
  readonly patients: readonly string[];
  /** Asked about each of the patients, or about the Groups they are members of. */
  readonly queries: readonly Omit<ResourceQuery, 'patient' | 'member'>[];
  /** Further resources, as `Type/id`. */
  readonly also: readonly string[];
}

/** One row of the answer. */
export interface FoundResource {
  /** `also` also marks the Medications and Endpoints that the matches refer to. */
  readonly as: 'patient' | 'match' | 'also';
  /** The patients a match is about, as `Patient/id`; empty where only one patient was asked for. */
  readonly patients: readonly string[];
  readonly resource: Resource;
}

/** The text that ends a reference to a resource: its id, perhaps with a version. The same for every form of a reference. */
const idIn = (reference: string): string => `substring(${reference} from '([A-Za-z0-9.-]{1,64})(?:/_history/[^/]*)?$')`;
const medicationId = idIn(`body->'medicationReference'->>'reference'`);

const takenTypes = medicationTypes.map((type) => `'${type}'`).join(', ');

/** How long rows are parsed before the event loop gets its turn, in milliseconds. */
const turnMs = 4;

/**
 * The current versions of patients, of all that the queries find about them, and of the Medications and Endpoints that
 * these refer to: one statement, so all of it is of one state of the data. In no order.
 */
export async function readMany(context: StoreContext, wanted: ManyResources): Promise<FoundResource[]> {
  const many = wanted.patients.length > 1;
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const tenant = bind(context.tenant);
  const kinds = wanted.queries.map((query) => `(${matchesOneOf(query, bind)})`);
  // As one text: to read an array costs more than to read the resource. No reference holds a blank.
  const patients = many ? "array_to_string(patients, ' ')" : 'null::text';
  const parts = [
    `select 'patient' as how, null::text as patients, body from resources
     where tenant = ${tenant} and type = 'Patient' and id = any(${bind(wanted.patients)}) and not deleted`,
  ];
  if (kinds.length > 0) parts.push(`select 'match', ${patients}, body from matches`);
  if (wanted.queries.some(({ type }) => isMedicationType(type))) {
    parts.push(`select 'also', null, body from resources
      where tenant = ${tenant} and type = 'Medication' and not deleted
        and id = any(array(select ${medicationId} from matches where type in (${takenTypes})))`);
  }
  if (wanted.queries.some(({ type }) => type === 'ImagingStudy')) {
    parts.push(`select 'also', null, body from resources
      where tenant = ${tenant} and type = 'Endpoint' and not deleted and id = any(array(
        select ${idIn('reference')} from matches, unnest(${endpointReferences}) reference where type = 'ImagingStudy'))`);
  }
  for (const [type, ids] of byType(wanted.also)) {
    parts.push(`select 'also', null, body from resources
      where tenant = ${tenant} and type = ${bind(type)} and id = any(${bind(ids)}) and not deleted`);
  }
  const owners = wanted.patients.map((id) => `Patient/${id}`);
  const matches =
    kinds.length === 0
      ? ''
      : `with matches as materialized (
           select type, patients, body from resources
           where tenant = ${tenant} and not deleted and patients && ${bind(owners)}::text[] and (${kinds.join(' or ')})) `;
  const { rows } = await context.sql.query<Row>(`${matches}${parts.join(' union all ')}`, values);
  return await parsed(rows);
}

interface Row {
  readonly how: FoundResource['as'];
  /** Absent where only one patient was asked for. */
  readonly patients: string | null;
  readonly body: string;
}

async function parsed(rows: readonly Row[]): Promise<FoundResource[]> {
  const found: FoundResource[] = [];
  let turnEnds = performance.now() + turnMs;
  for (const { how, patients, body } of rows) {
    // A prediction uses numbers as doubles: their text is of no use here.
    found.push({ as: how, patients: patients?.split(' ') ?? [], resource: JSON.parse(body) as Resource });
    if (performance.now() < turnEnds) continue;
    await new Promise((resolve) => setImmediate(resolve));
    turnEnds = performance.now() + turnMs;
  }
  return found;
}

function byType(names: readonly string[]): ReadonlyMap<string, string[]> {
  const types = new Map<string, string[]>();
  for (const name of names) {
    const [type = '', id = ''] = name.split('/');
    const ids = types.get(type);
    if (ids === undefined) types.set(type, [id]);
    else ids.push(id);
  }
  return types;
}
