import type { LogEvent } from '../platform/events.ts';
import type { WriteReceipt } from '../write-back/outcome-record.ts';

/** One event for each thing that a write did, once it is kept. */
export function reportWrite(receipt: WriteReceipt, event: (event: LogEvent) => void): void {
  const { row, resource, created, superseded } = receipt;
  if (resource !== undefined) {
    event({ name: 'result.written', result: row.identifier, resourceId: resource.id, created });
  }
  for (const { identifier, supersededBy } of superseded) {
    event({ name: 'result.superseded', result: identifier, supersededBy });
  }
}
