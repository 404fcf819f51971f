import { siteWords } from './applied-site.ts';
import { isCodeReference, measuredEntries } from './code-lists.ts';
import type { FeatureMap, FeatureMapFile } from './feature-map-schema.ts';
import { pointerPart } from './finding.ts';
import type { SiteFile } from './read-site-file.ts';

type Find = (path: string, message: string) => void;

/** The map with the unit texts of the site in the features with measured numbers that they are for. */
export function withLocalUnits(map: FeatureMap, file: FeatureMapFile, site: SiteFile, find: Find): FeatureMap {
  const features = Object.entries(map.features).map(([name, definition]) => {
    const written = file.features[name];
    const isMeasured = definition.kind === 'observation' || definition.kind === 'sequence';
    if (!isMeasured || written === undefined) return [name, definition] as const;
    const units = unitsOf(name, written, site, find);
    if (units === undefined) return [name, definition] as const;
    return [name, { ...definition, localUnits: { site: siteWords(site), units } }] as const;
  });
  return { ...map, features: Object.fromEntries(features) };
}

/**
 * A unit text counts for a feature only where every code of it is of a concept that the site declares the text for, so
 * that it is never read for what it was not declared for. Two concepts that read it differently contradict each other.
 */
function unitsOf(feature: string, written: object, site: SiteFile, find: Find): Record<string, string> | undefined {
  const entries = measuredEntries(written);
  const concepts = entries.flatMap((entry) => (isCodeReference(entry) && 'concept' in entry ? [entry.concept] : []));
  const [first, ...others] = [...new Set(concepts)].map((name) => ({
    name,
    units: (Object.hasOwn(site.concepts, name) ? site.concepts[name]?.units : undefined) ?? {},
  }));
  if (first === undefined) return undefined;
  for (const { name, units } of others) {
    for (const [text, unit] of Object.entries(units)) {
      const meant = Object.hasOwn(first.units, text) ? first.units[text] : unit;
      if (meant !== unit)
        find(
          `/concepts/${name}/units/${pointerPart(text)}`,
          `is ${unit}, but ${meant} for ${first.name}, and ${feature} reads both`,
        );
    }
  }
  if (concepts.length < entries.length) return undefined;
  const common = Object.entries(first.units).filter(([text]) =>
    others.every(({ units }) => Object.hasOwn(units, text)),
  );
  return common.length === 0 ? undefined : Object.fromEntries(common);
}
