import { link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { stringifyFhirJson } from '../../fhir/fhir-json.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ResultResource } from '../../results/result-resource.ts';
import { isTaggedSuperseded } from '../superseded-tag.ts';
import { skippedAsSuperseded } from './deliver-singly.ts';
import {
  type Delivery,
  type DeliveryOutcome,
  type DeliveryReceipt,
  isAsItIs,
  isOfVersion,
  type Sink,
  type StoredResult,
} from './delivery.ts';
import { type ReferenceRules, withSinkReferences } from './sink-references.ts';
import type { NdjsonSink } from './sink-schema.ts';

/** Lines that are made before others get their turn. */
const linesAtOnce = 10;

/**
 * A folder of files, one per batch, each complete when it appears under its name and never changed afterwards. A batch
 * whose writer died keeps its name: what its file holds, if it is there, is delivered, and what changed since comes in a
 * later one. A reader that knows a file by its name neither reads anything twice nor misses a change.
 */
export function createNdjsonSink(settings: NdjsonSink, ownBase: string): Sink {
  const { name, folder, subjectReferences } = settings;
  const rules: ReferenceRules = { ownBase, subjectReferences, foreignReferences: 'absolute' };
  return {
    name,
    at: folder,
    async deliver({ batch, sender }, deliveries) {
      const outcomes = new Map<string, DeliveryOutcome>();
      const file = `${name}-${batch}.ndjson`;
      const there = deliveries.some(({ unsure }) => unsure) ? await published(path.join(folder, file)) : undefined;
      const written: Delivery[] = [];
      for (const delivery of deliveries) {
        const { result, receipt, unsure, changed } = delivery;
        const here = receipt?.at === folder ? receipt : undefined;
        const held = there?.get(nameOf(result.resource));
        const doubtful = unsure && there === undefined;
        if (held !== undefined)
          outcomes.set(result.identifier, { kind: 'delivered', receipt: receiptOf(result, held, file) });
        else if (!doubtful && result.superseded && here?.file === undefined)
          outcomes.set(result.identifier, skippedAsSuperseded(folder));
        else if (!doubtful && here?.file !== undefined && isAsItIs(here, result))
          outcomes.set(result.identifier, { kind: 'delivered', receipt: here });
        // Somebody may have read the file of this name and taken it away: what changed since comes under another.
        else if (there !== undefined || changed) outcomes.set(result.identifier, { kind: 'unsent' });
        else written.push(delivery);
      }
      if (deliveries.some(({ unsure }) => unsure)) await removeDrafts(folder, file);
      if (written.length > 0) await write(written, file, sender, outcomes);
      return { outcomes };
    },
    close: async () => undefined,
  };

  async function write(
    deliveries: readonly Delivery[],
    file: string,
    sender: string,
    outcomes: Map<string, DeliveryOutcome>,
  ): Promise<void> {
    const draft = path.join(folder, `${file}.${sender}.tmp`);
    try {
      await mkdir(folder, { recursive: true });
      await writeDraft(draft, lines(deliveries, rules, folder));
    } catch (cause) {
      if (cause instanceof PredictionError) throw cause;
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
      const text = `The folder of the sink cannot be written to (${code}): check that it exists, is writable and has room.`;
      const failed: DeliveryOutcome = {
        kind: 'failed',
        counts: false,
        unsure: false,
        error: { reason: 'not-writable', text },
      };
      for (const { result } of deliveries) outcomes.set(result.identifier, failed);
      return;
    }
    // Where another sender was faster, its file is the one that readers know.
    const there = (await publish(folder, draft, file)) ? undefined : await published(path.join(folder, file));
    for (const { result } of deliveries) {
      const held = there === undefined ? result.resource : there.get(nameOf(result.resource));
      outcomes.set(
        result.identifier,
        held === undefined ? { kind: 'unsent' } : { kind: 'delivered', receipt: receiptOf(result, held, file) },
      );
    }
  }

  /** @param held the result as it stands in the file */
  function receiptOf(
    { identifier, made, resource }: StoredResult,
    held: ResultResource,
    file: string,
  ): DeliveryReceipt {
    const version = held.meta?.versionId;
    const isNow = made !== undefined && version === resource.meta?.versionId;
    const there = { reference: nameOf(held), ...(version === undefined ? {} : { version }) };
    return {
      at: folder,
      superseded: isTaggedSuperseded(held),
      ...(isNow ? { made } : {}),
      resources: { [identifier]: there },
      file,
    };
  }
}

/** Device before the results that name it; the Provenance only with the first delivery of a result, or of a version of a report. */
async function* lines(deliveries: readonly Delivery[], rules: ReferenceRules, folder: string): AsyncGenerator<string> {
  const devices = new Set<string>();
  for (const [index, { result, receipt }] of deliveries.entries()) {
    const { device, resource, provenance } = result;
    if (index % linesAtOnce === linesAtOnce - 1) await new Promise((resolve) => setImmediate(resolve));
    const parts: Resource[] = [];
    if (device !== undefined && !devices.has(device.id)) parts.push(device);
    if (device !== undefined) devices.add(device.id);
    parts.push(resource);
    const isFirst = receipt?.at !== folder || receipt.file === undefined || !isOfVersion(receipt, result);
    if (provenance !== undefined && isFirst) parts.push(provenance);
    yield parts.map((part) => `${stringifyFhirJson(withSinkReferences(part, rules))}\n`).join('');
  }
}

/** The results of a file by `Type/id`, without what is in them; undefined where there is no such file. */
async function published(place: string): Promise<ReadonlyMap<string, ResultResource> | undefined> {
  const held = new Map<string, ResultResource>();
  try {
    const file = await open(place, 'r');
    let read = 0;
    for await (const line of file.readLines()) {
      read += 1;
      if (read % linesAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
      const { resourceType, id = '', meta } = JSON.parse(line) as ResultResource;
      if (resourceType === 'RiskAssessment' || resourceType === 'Observation' || resourceType === 'DiagnosticReport') {
        const result = { resourceType, id, ...(meta && { meta }) } as ResultResource;
        held.set(nameOf(result), result);
      }
    }
    return held;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function nameOf({ resourceType, id }: ResultResource): string {
  return `${resourceType}/${id}`;
}

/** What cannot be written to its end, on a full disk, takes up no room. */
async function writeDraft(place: string, parts: AsyncIterable<string>): Promise<void> {
  const draft = await open(place, 'w', 0o600);
  try {
    try {
      for await (const part of parts) await draft.writeFile(part);
      await draft.sync();
    } finally {
      await draft.close();
    }
  } catch (error) {
    await rm(place, { force: true });
    throw error;
  }
}

/** Of senders of this file that were taken for dead. */
async function removeDrafts(folder: string, file: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (name.startsWith(`${file}.`) && name.endsWith('.tmp')) await rm(path.join(folder, name), { force: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/**
 * The file appears at once and whole, and is on the disk when this resolves. Whoever gets an error cannot know.
 * @returns false where a file of that name was there: it is left as it is
 */
async function publish(folder: string, draft: string, file: string): Promise<boolean> {
  const place = path.join(folder, file);
  try {
    await link(draft, place);
    await rm(draft);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) {
      await rm(draft, { force: true });
      return false;
    }
    // Some file systems have no hard links.
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error;
    await rename(draft, place);
  }
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return true;
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
