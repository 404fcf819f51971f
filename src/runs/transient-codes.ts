/** Failures of a member that say nothing about the member. */
export const transientCodes: readonly string[] = [
  'RECORD_UNREACHABLE',
  'IMAGES_UNREACHABLE',
  'ENGINE_UNAVAILABLE',
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
  'DATABASE_UNAVAILABLE',
  'WRITE_CONFLICT',
];
