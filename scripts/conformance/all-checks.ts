import { asynchronousChecks } from './asynchronous-checks.ts';
import type { Check } from './check.ts';
import { discoveryChecks } from './discovery-checks.ts';
import { entryChecks } from './entry-checks.ts';
import { negotiationChecks } from './negotiation-checks.ts';
import { operationChecks } from './operation-checks.ts';
import { prefetchChecks } from './prefetch-checks.ts';
import { requestChecks } from './request-checks.ts';
import { responseChecks } from './response-checks.ts';
import { resultChecks } from './result-checks.ts';
import { smartChecks } from './smart-checks.ts';
import { storeChecks } from './store-checks.ts';

/** Everything that the driver tries, in the order of the table. */
export const allChecks: readonly Check[] = [
  ...discoveryChecks,
  ...requestChecks,
  ...prefetchChecks,
  ...responseChecks,
  ...entryChecks,
  ...operationChecks,
  ...negotiationChecks,
  ...asynchronousChecks,
  ...storeChecks,
  ...resultChecks,
  ...smartChecks,
];
