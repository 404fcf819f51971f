import type { HookReports } from '../../src/entrances/cds-hooks/answer-hook.ts';

/** Of services that show no reports nothing of this is asked. */
export const noReports: HookReports = {
  find: () => Promise.reject(new Error('asked for reports')),
  areMadeFor: () => false,
  ask: () => Promise.reject(new Error('asked to make a report')),
  told: () => Promise.reject(new Error('told a report')),
};
