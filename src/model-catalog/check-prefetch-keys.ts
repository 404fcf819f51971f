import type { FeatureMap } from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import type { Manifest } from './manifest-schema.ts';
import { patientKey } from './prefetch-templates.ts';
import { readsImages } from './reads-images.ts';
import { recordQueries } from './record-queries.ts';

/**
 * That every prefetch key of which a service says something is one that it has: a rule about a key that nobody asks for is
 * none. @param gathered with what the models read whose outputs the map takes
 */
export function checkPrefetchKeys(manifest: Manifest, gathered: FeatureMap): Finding[] {
  // Opt-outs are searched where the site wants that.
  const queries = recordQueries(gathered, new Date(0), ['consent', 'group']);
  const keys = readsImages({ gathered }) ? [] : [patientKey, ...queries.map(({ key }) => key)];
  const these = keys.length === 0 ? 'none: who reads images takes nothing out of prefetch' : keys.join(', ');
  return (manifest.cdsHooks ?? []).flatMap(({ prefetch = {} }, index) =>
    Object.keys(prefetch)
      .filter((key) => !keys.includes(key))
      .map((key) => ({
        file: 'manifest.json',
        path: `/cdsHooks/${index}/prefetch/${key}`,
        message: `is no prefetch key of this model; it has ${these}`,
      })),
  );
}
