import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { expect } from 'vitest';
import { accessEvent } from '../../../src/entrances/audit/access-event.ts';
import type { AccessRow } from '../../../src/monitoring/access-row.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import type { House } from '../../../src/wire.ts';
import { ownBases } from '../../../src/wire-account.ts';
import { profileOf } from './profile-of.ts';

/** One resource that a server of the suite wrote or answered with, as `check-written-resources.ts` reads it. */
export interface WrittenResource {
  /** The test file whose server it was. */
  readonly file: string;
  readonly resource: Resource;
  /** True where this server made it without doubt: that it has no profile is a fault. */
  readonly isOwn?: true;
}

/** What this server makes itself; whatever else it answers with is what somebody gave it. */
const madeHere = ['OperationOutcome', 'CapabilityStatement', 'AuditEvent', 'Bundle', 'Parameters'];

/** At most so many stored resources of a kind are looked at for one server. */
const storedCap = 200;

const kept = new Set<string>();

/**
 * Keeps the resources of this server in a value, to be checked after the suite. Of those that differ in their digits only (a
 * number of as many digits, an id, a time) one is kept.
 */
export function keepWritten(value: unknown, isOwn: (resource: Resource) => boolean = () => false): void {
  const folder = process.env.WRITTEN_RESOURCES;
  if (folder === undefined) return;
  for (const resource of resourcesIn(value)) {
    const own = isOwn(resource);
    if (!own && profileOf(resource) === undefined && !madeHere.includes(resource.resourceType)) continue;
    const alone = withoutInner(resource);
    const text = JSON.stringify(alone);
    const shape = createHash('sha256')
      .update(
        `${own} ${text
          .replace(uuids, 'u')
          .replace(/[0-9a-f]{12,}/g, 'h')
          .replace(/\d/g, '0')}`,
      )
      .digest('hex');
    if (kept.has(shape)) continue;
    kept.add(shape);
    const file = path.basename(expect.getState().testPath ?? '');
    const line: WrittenResource = { file, resource: alone, ...(own && { isOwn: true }) };
    appendFileSync(path.join(folder, `${process.pid}.ndjson`), `${JSON.stringify(line)}\n`);
  }
}

const uuids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const results: readonly string[] = ['RiskAssessment', 'Observation'];

/** Keeps what an answer holds, if it is JSON. A result that `$predict` answers with is this server's, whatever it says of itself. */
export function keepAnswer(request: IncomingMessage, response: ServerResponse): void {
  const isPredict = /(\$|%24)predict$|\/_async\//i.test(request.url?.split('?')[0] ?? '');
  const chunks: Buffer[] = [];
  const take = (chunk: unknown): void => {
    if (typeof chunk === 'string') chunks.push(Buffer.from(chunk));
    else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  };
  const { write, end } = response;
  response.write = ((...args: Parameters<typeof write>) => {
    take(args[0]);
    return write.apply(response, args);
  }) as typeof write;
  response.end = ((...args: Parameters<typeof end>) => {
    take(args[0]);
    return end.apply(response, args);
  }) as typeof end;
  response.once('finish', () => {
    const type = String(response.getHeader('content-type') ?? '');
    if (!/\bjson\b/.test(type) || type.includes('ndjson') || chunks.length === 0) return;
    const isResult = ({ resourceType }: Resource): boolean => results.includes(resourceType);
    keepWritten(parsed(chunks), isPredict && response.statusCode === 200 ? isResult : undefined);
  });
}

/**
 * Keeps what a server stored, where its test left it a database: the results that its own tables name, with the Devices they
 * name and the Provenances that name them, whatever they say of themselves; others that say they are its own; and the events
 * of its access log.
 */
export async function keepStored({ database, ...house }: House): Promise<void> {
  if (process.env.WRITTEN_RESOURCES === undefined) return;
  try {
    const stored = async (text: string): Promise<Resource[]> => {
      const { rows } = await database.query<{ body: string }>(text);
      return rows.map(({ body }) => JSON.parse(body) as Resource);
    };
    const ownResults = await stored(writtenResults);
    const named = new Set(ownResults.flatMap(referencesIn));
    const names = new Set(ownResults.map(nameOf));
    keepWritten(ownResults, () => true);
    keepWritten(await stored(ofType('Device')), (one) => named.has(nameOf(one)));
    keepWritten(await stored(ofType('Provenance')), (one) => targetsOf(one).some((target) => names.has(target)));
    for (const type of results) keepWritten(await stored(ofType(type)));
    const { rows } = await database.query<AccessRow>(accesses);
    const frame = { fhirBase: house.fhirBase, own: ownBases(house) };
    keepWritten(rows.map((row) => accessEvent(row, frame)));
  } catch (error) {
    const isGone = error instanceof PredictionError && ['DATABASE_UNAVAILABLE', 'SHUTTING_DOWN'].includes(error.code);
    if (!isGone) throw error;
  }
}

const writtenResults = `select body::text as body from resources where type in ('RiskAssessment', 'Observation') and not deleted
  and id in (select resource_id from outcomes union select written from prediction_log) limit ${storedCap}`;

const ofType = (
  type: string,
): string => `select body::text as body from resources where type = '${type}' and not deleted
  and ('${type}' in ('Device', 'Provenance') or exists (select from unnest(identifiers) one where one like 'https://fhirsight.org/%'))
  limit ${storedCap}`;

/** One of each kind. */
const accesses = `select distinct on (action, interaction, status, error_code, proved_by, user_ref is null, query is null,
  resource_id is null, subject_id is null) * from access_log limit ${storedCap}`;

function nameOf({ resourceType, id }: Resource): string {
  return `${resourceType}/${id}`;
}

function referencesIn(resource: Resource): string[] {
  return (
    JSON.stringify(resource).match(/(?<="reference":"[^"]*)[A-Z][A-Za-z]+\/[A-Za-z0-9.-]+(?=(\/_history\/[^"]*)?")/g) ??
    []
  );
}

function targetsOf(resource: Resource): string[] {
  return resource.resourceType === 'Provenance' ? referencesIn({ ...resource, agent: [], entity: [] }) : [];
}

/** An answer that was cut off, or that a test made no JSON of, is none. */
function parsed(chunks: readonly Buffer[]): unknown {
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function resourcesIn(value: unknown): Resource[] {
  if (Array.isArray(value)) return value.flatMap(resourcesIn);
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, child]) => (key === 'contained' ? [] : resourcesIn(child)));
  return typeof (value as Resource).resourceType === 'string' ? [value as Resource, ...inner] : inner;
}

/** The resource with another one in the place of each that it carries, which is kept by itself. */
function withoutInner(resource: Resource): Resource {
  const visit = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return key === 'contained' ? value : value.map((item) => visit(item, ''));
    if (typeof value !== 'object' || value === null) return value;
    if (value !== resource && 'resourceType' in value && value.resourceType !== 'OperationOutcome')
      return { resourceType: 'Basic', code: { text: 'in its place' } };
    return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, visit(child, name)]));
  };
  return visit(resource, '') as Resource;
}
