import type { Migration } from '../migrate.ts';
import { resourcesAndOutcomes } from './0001-resources-and-outcomes.ts';

/** Every migration, in order. One that was released is never changed: a correction is a new migration. */
export const allMigrations: readonly Migration[] = [resourcesAndOutcomes];
