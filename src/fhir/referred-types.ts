import { isMedicationType } from './medication-types.ts';

/** Types that come with what refers to them: they belong to no patient, and no search by patient finds them. */
export const referredTypes = ['Medication', 'Endpoint'] as const;
export type ReferredType = (typeof referredTypes)[number];

export function isReferredType(type: string): type is ReferredType {
  return (referredTypes as readonly string[]).includes(type);
}

/** The type that comes with resources of another one; undefined where none does. */
export function referredFrom(type: string): ReferredType | undefined {
  if (isMedicationType(type)) return 'Medication';
  return type === 'ImagingStudy' ? 'Endpoint' : undefined;
}
