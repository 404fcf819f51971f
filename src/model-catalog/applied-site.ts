import { createHash } from 'node:crypto';
import type { SiteConcept } from './site-file-schema.ts';

/** What the site file adds to one model version: what it says of the concepts that the features of the map read. */
export interface AppliedSite {
  readonly id: string;
  readonly version: string;
  readonly concepts: Readonly<Record<string, SiteConcept>>;
}

/** How people are told of a site file. */
export function siteWords({ id, version }: Pick<AppliedSite, 'id' | 'version'>): string {
  return `site file ${id} version ${version}`;
}

/** What a result says that rests on a map with local codes or units. */
export function siteSentence(site: AppliedSite): string {
  return `Local codes and units of ${Object.keys(site.concepts).join(', ')} were read by ${siteWords(site)}.`;
}

/** SHA-256 (hex) over the digest of the files and what the site file adds to them, in whatever order that is written. */
export function digestWithSite(filesDigest: string, { id, version, concepts }: AppliedSite): string {
  const parts = Object.entries(concepts)
    .sort(byName)
    .map(([name, { codes = [], complete = [], units = {} }]) => [
      name,
      [...codes].sort(),
      [...complete].sort(),
      Object.entries(units).sort(byName),
    ]);
  return createHash('sha256')
    .update(JSON.stringify([filesDigest, id, version, parts]))
    .digest('hex');
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : Number(one > other);
}
