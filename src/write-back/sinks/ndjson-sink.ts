import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { stringifyFhirJson } from '../../fhir/fhir-json.ts';
import { skippedAsSuperseded } from './deliver-singly.ts';
import type { Delivery, DeliveryOutcome, DeliveryReceipt, Sink } from './delivery.ts';
import { type ReferenceRules, withSinkReferences } from './sink-references.ts';
import type { NdjsonSink } from './sink-schema.ts';

/** Lines that are made before others get their turn. */
const linesAtOnce = 10;

/**
 * A folder of files, one per batch, each complete when it appears under its name. A batch whose writer died is written
 * under the same name again: a reader that knows a file by its name never reads anything twice.
 */
export function createNdjsonSink(settings: NdjsonSink, ownBase: string): Sink {
  const { name, folder, subjectReferences } = settings;
  const rules: ReferenceRules = { ownBase, subjectReferences, foreignReferences: 'absolute' };
  return {
    name,
    at: folder,
    async deliver(batch, deliveries) {
      const outcomes = new Map<string, DeliveryOutcome>();
      const written: Delivery[] = [];
      for (const delivery of deliveries) {
        const { result, receipt, unsure } = delivery;
        const here = receipt?.at === folder ? receipt : undefined;
        if (!unsure && result.superseded && here?.file === undefined)
          outcomes.set(result.identifier, skippedAsSuperseded(folder));
        else if (!unsure && here?.file !== undefined && here.superseded === result.superseded)
          outcomes.set(result.identifier, { kind: 'delivered', receipt: here });
        else written.push(delivery);
      }
      if (written.length > 0) await write(written, `${name}-${batch}.ndjson`, outcomes);
      return { outcomes };
    },
    close: async () => undefined,
  };

  async function write(
    deliveries: readonly Delivery[],
    file: string,
    outcomes: Map<string, DeliveryOutcome>,
  ): Promise<void> {
    try {
      await writeDraft(folder, file, lines(deliveries, rules, folder));
    } catch (cause) {
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
    await publish(folder, file);
    for (const { result } of deliveries) {
      const { id, meta } = result.riskAssessment;
      const resources = {
        [result.identifier]: {
          reference: `RiskAssessment/${id}`,
          ...(meta?.versionId === undefined ? {} : { version: meta.versionId }),
        },
      };
      const receipt: DeliveryReceipt = { at: folder, superseded: result.superseded, resources, file };
      outcomes.set(result.identifier, { kind: 'delivered', receipt });
    }
  }
}

/** Device before the results that name it; the Provenance only with the first delivery of a result. */
async function* lines(deliveries: readonly Delivery[], rules: ReferenceRules, folder: string): AsyncGenerator<string> {
  const devices = new Set<string>();
  for (const [index, { result, receipt, unsure }] of deliveries.entries()) {
    const { device, riskAssessment, provenance } = result;
    if (index % linesAtOnce === linesAtOnce - 1) await new Promise((resolve) => setImmediate(resolve));
    const parts: Resource[] = [];
    if (device !== undefined && !devices.has(device.id)) parts.push(device);
    if (device !== undefined) devices.add(device.id);
    parts.push(riskAssessment);
    const isFirst = unsure || receipt?.at !== folder || receipt.file === undefined;
    if (provenance !== undefined && isFirst) parts.push(provenance);
    yield parts.map((part) => `${stringifyFhirJson(withSinkReferences(part, rules))}\n`).join('');
  }
}

async function writeDraft(folder: string, file: string, parts: AsyncIterable<string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const draft = await open(path.join(folder, `${file}.tmp`), 'w', 0o600);
  try {
    for await (const part of parts) await draft.writeFile(part);
    await draft.sync();
  } finally {
    await draft.close();
  }
}

/** The file appears at once and whole, and is on the disk when this resolves. Whoever gets an error cannot know. */
async function publish(folder: string, file: string): Promise<void> {
  const place = path.join(folder, file);
  await rename(`${place}.tmp`, place);
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
