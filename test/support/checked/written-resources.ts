import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { expect } from 'vitest';
import type { Database } from '../../../src/platform/database.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { profileOf } from './profile-of.ts';

/** One resource that a server of the suite wrote or answered with, as `check-written-resources.ts` reads it. */
export interface WrittenResource {
  /** The test file whose server it was. */
  readonly file: string;
  readonly resource: Resource;
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
export function keepWritten(value: unknown): void {
  const folder = process.env.WRITTEN_RESOURCES;
  if (folder === undefined) return;
  for (const resource of resourcesIn(value)) {
    if (profileOf(resource) === undefined && !madeHere.includes(resource.resourceType)) continue;
    const alone = withoutInner(resource);
    const text = JSON.stringify(alone);
    const shape = createHash('sha256')
      .update(text.replace(/[0-9a-f]{12,}/g, 'h').replace(/\d/g, '0'))
      .digest('hex');
    if (kept.has(shape)) continue;
    kept.add(shape);
    const line: WrittenResource = { file: path.basename(expect.getState().testPath ?? ''), resource: alone };
    appendFileSync(path.join(folder, `${process.pid}.ndjson`), `${JSON.stringify(line)}\n`);
  }
}

/** Keeps what an answer holds, if it is JSON. */
export function keepAnswer(response: ServerResponse): void {
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
    if (/\bjson\b/.test(type) && !type.includes('ndjson') && chunks.length > 0) keepWritten(parsed(chunks));
  });
}

/** Keeps the results, Devices and Provenances that a server stored, where its test left it a database. */
export async function keepStored(database: Database): Promise<void> {
  if (process.env.WRITTEN_RESOURCES === undefined) return;
  try {
    for (const type of ['RiskAssessment', 'Observation', 'Device', 'Provenance']) {
      const { rows } = await database.query<{ body: string }>(ofType, [type]);
      for (const { body } of rows) keepWritten(JSON.parse(body));
    }
  } catch (error) {
    const isGone = error instanceof PredictionError && ['DATABASE_UNAVAILABLE', 'SHUTTING_DOWN'].includes(error.code);
    if (!isGone) throw error;
  }
}

const ofType = `select body::text as body from resources where type = $1 and not deleted
  and ($1 = 'Provenance' or exists (select from unnest(identifiers) one where one like 'https://fhirsight.org/%'))
  limit ${storedCap}`;

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
