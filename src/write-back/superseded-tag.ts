import type { Coding, RiskAssessment } from '@medplum/fhirtypes';
import { PredictionError } from '../platform/errors.ts';
import type { ResultStore, Stored } from './result-store.ts';

export const supersededTag = {
  system: 'https://fhirsight.org/fhir/CodeSystem/result-state',
  code: 'superseded',
  display: 'Superseded',
} as const;

const mostAttempts = 3;

/** The resource with the tag, or without it. */
export function withSupersededTag<Kind extends RiskAssessment>(resource: Kind, superseded: boolean): Kind {
  if (isTaggedSuperseded(resource) === superseded) return resource;
  const others = (resource.meta?.tag ?? []).filter(
    ({ system, code }) => system !== supersededTag.system || code !== supersededTag.code,
  );
  const tag = superseded ? [...others, supersededTag] : others;
  const { tag: _, ...meta } = resource.meta ?? {};
  return { ...resource, meta: tag.length === 0 ? meta : { ...meta, tag } };
}

export function isTaggedSuperseded(resource: RiskAssessment): boolean {
  return holdsSupersededTag(resource.meta?.tag ?? []);
}

export function holdsSupersededTag(tags: readonly Coding[]): boolean {
  return tags.some(({ system, code }) => system === supersededTag.system && code === supersededTag.code);
}

/**
 * Brings the tag of a stored result in line with its outcome, as an update of the resource; one that was deleted has
 * no tag to bring in line. A change by somebody else in between is kept: the tag goes onto the newer version.
 */
export async function updateSupersededTag(store: ResultStore, resourceId: string, superseded: boolean): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const resource: Stored<RiskAssessment> | undefined = await store.read<RiskAssessment>('RiskAssessment', resourceId);
    if (resource === undefined || isTaggedSuperseded(resource) === superseded) return;
    try {
      await store.update(withSupersededTag(resource, superseded));
      return;
    } catch (error) {
      if (!(error instanceof PredictionError) || error.code !== 'VERSION_CONFLICT' || attempt === mostAttempts)
        throw error;
    }
  }
}
