import { setTimeout as wait } from 'node:timers/promises';
import type { FoundSubject } from '../../src/runs/member-table.ts';
import { openRuns, type RunReport, type Runs, type RunsParts } from '../../src/runs/open-runs.ts';
import type { RunMember } from '../../src/runs/run.ts';
import type { House } from '../../src/wire.ts';
import { testCipher } from './test-cipher.ts';

/** The base of runs that a house's own worker leaves alone. */
export const otherBase = 'http://runs.example.org/fhir';

/** Runs beside those of a house, with its database and its predictions; what a test changes stands in `changes`. */
export function openTestRuns(house: House, changes: Partial<RunsParts> = {}): Runs {
  const { prediction } = house;
  return openRuns({
    database: house.database,
    tenant: prediction.tenant,
    fhirBase: otherBase,
    clock: prediction.clock,
    event: () => undefined,
    predict: (request, parts) => house.predict(request, parts),
    recordsOf: async () => undefined,
    findModel: (id, version) => {
      const { manifest, digest } = prediction.findModel(id, version);
      return { id: manifest.id, version: manifest.version, digest };
    },
    checkWriteBack: () => undefined,
    checkCohort: () => undefined,
    timeZone: 'UTC',
    cohorts: listedCohort(['1']),
    cipher: testCipher,
    schedules: [],
    every: () => () => undefined,
    chunkSize: 10,
    sliceSizeOf: () => 4,
    overlap: false,
    memberTimeoutMs: 5_000,
    unreachableRetryMs: [1, 1],
    unreachableAttempts: 20,
    alone: false,
    pollMs: 50,
    leaseMs: 1_000,
    ...changes,
  });
}

/** A cohort of these subjects, whatever is asked for. */
export function listedCohort(subjects: readonly string[], pageSize = 100): RunsParts['cohorts'] {
  return {
    check: async () => undefined,
    async *read() {
      for (let at = 0; at < subjects.length; at += pageSize) {
        yield subjects.slice(at, at + pageSize).map((subject): FoundSubject => ({ subject }));
      }
    },
  };
}

/** Waits until a run has come to an end, or to one of `states`. */
export async function ended(
  runs: Runs,
  id: string,
  states: readonly string[] = ['finished', 'failed', 'cancelled'],
): Promise<RunReport> {
  for (let attempt = 0; attempt < 3_000; attempt++) {
    const report = await runs.read(id);
    if (states.includes(report.run.state)) return report;
    await wait(10);
  }
  throw new Error(`the run ${id} did not become ${states.join(' or ')}`);
}

/** Every member of a run, by subject. */
export async function membersOf(runs: Runs, id: string): Promise<Map<string, RunMember>> {
  const members = await runs.members(id, { sort: 'subject' }, 100_000);
  return new Map(members.map((member) => [member.subject, member]));
}
