import type { Coding, Meta, Resource } from '@medplum/fhirtypes';

export const supersededTag = {
  system: 'https://fhirsight.org/fhir/CodeSystem/result-state',
  code: 'superseded',
  display: 'Superseded',
} as const;

/** The meta with the tag, or without it; the very same where nothing changes. */
export function metaWithSupersededTag(meta: Meta, superseded: boolean): Meta {
  const { tag: tags = [], ...rest } = meta;
  if (holdsSupersededTag(tags) === superseded) return meta;
  const tag = superseded ? [...tags, supersededTag] : tags.filter((coding) => !isSupersededTag(coding));
  return tag.length === 0 ? rest : { ...rest, tag };
}

export function isTaggedSuperseded(resource: Pick<Resource, 'meta'>): boolean {
  return holdsSupersededTag(resource.meta?.tag ?? []);
}

export function holdsSupersededTag(tags: readonly Coding[]): boolean {
  return tags.some(isSupersededTag);
}

function isSupersededTag({ system, code }: Coding): boolean {
  return system === supersededTag.system && code === supersededTag.code;
}
