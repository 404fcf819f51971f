import { cardAtSite } from '../../model-catalog/card/card-at-site.ts';
import { cardUrl, versionUrl } from '../../model-catalog/card/card-url.ts';
import { isOverdue } from '../../model-catalog/card/card-words.ts';
import type { LoadedVersion } from '../../model-catalog/model-version.ts';

/** What makes a list of models the inventory of a house. */
export interface InventoryOptions {
  /** URL of this server, without a trailing slash. */
  readonly serverUrl: string;
  /** `YYYY-MM-DD` at the site: a review that was due before is overdue. */
  readonly today: () => string;
}

/**
 * What a hospital keeps of each version: who answers for it, for what it is, its status and risk, when it is looked at
 * again, what was measured, and where more is said. What the card does not know is `{ "notAvailable": "why" }`.
 */
export function inventoryEntry(
  version: Pick<LoadedVersion, 'manifest' | 'card' | 'governance'>,
  { serverUrl, today }: InventoryOptions,
): Record<string, unknown> {
  const { manifest } = version;
  const card = cardAtSite(version);
  const { owner, intendedUse, regulatory, riskTier, review, performance } = card;
  return {
    ...(manifest.demonstration === undefined ? {} : { demonstration: true }),
    intendedUse: intendedUse.purpose,
    owner,
    regulatory,
    riskTier,
    review: 'notAvailable' in review ? review : { ...review, overdue: isOverdue(card, today()) },
    performance: performance.map(({ outcome, measure, value, interval, n, group, setting }) => ({
      ...(outcome === undefined ? {} : { outcome }),
      measure,
      value,
      ...(interval === undefined ? {} : { interval: [interval.low, interval.high], level: interval.level }),
      ...(n === undefined ? {} : { n }),
      ...(group === undefined ? {} : { group }),
      ...(setting === undefined ? {} : { setting }),
    })),
    links: { card: cardUrl(serverUrl, manifest), report: versionUrl(serverUrl, manifest) },
  };
}
