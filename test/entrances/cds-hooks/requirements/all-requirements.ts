import { answers } from './answers.ts';
import { discoveryAndData } from './discovery-and-data.ts';
import { ofClients } from './of-clients.ts';
import type { KnownRequirement } from './requirement.ts';
import { trust } from './trust.ts';
import { unseenOfClients } from './unseen-of-clients.ts';
import { untakenOptions } from './untaken-options.ts';

/** All 220 requirements of the list, each once. */
export const allRequirements: readonly KnownRequirement[] = [
  ...discoveryAndData,
  ...answers,
  ...trust,
  ...untakenOptions,
  ...ofClients,
  ...unseenOfClients,
];
