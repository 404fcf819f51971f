import type { RunReport } from '../../runs/open-runs.ts';
import type { Cohort, RunMember } from '../../runs/run.ts';
import type { SealedCohort } from '../../runs/sealed-cohort.ts';

/**
 * A run as `GET /runs/{id}` shows it. Absent: not known yet, or not asked for.
 * @param seesSearches false: of a search the names of its parameters only
 */
export function runBody(
  { run, cohort, tally, pace }: RunReport,
  { seesSearches = true } = {},
): Record<string, unknown> {
  return {
    id: run.id,
    state: run.state,
    reason: run.reason,
    model: run.model,
    cohort: seesSearches ? cohort : withoutValues(cohort),
    changedSince: run.changedSince?.toISOString(),
    asOf: run.asOf.toISOString(),
    writeBack: run.writeBack,
    explain: run.explain,
    fhirBase: run.fhirBase,
    requester: run.requester,
    schedule: run.schedule,
    createdAt: run.createdAt.toISOString(),
    startedAt: run.startedAt?.toISOString(),
    finishedAt: run.finishedAt?.toISOString(),
    members: run.members,
    tally,
    membersPerSecond: pace?.perSecond,
    remainingSeconds: pace?.remainingSeconds,
  };
}

/** A member as the lists show it. */
export function memberBody(member: RunMember): Record<string, unknown> {
  return {
    subject: member.subject,
    focus: member.focus,
    state: member.state,
    outcome: member.outcome,
    score: member.score,
    band: member.band,
    reasons: member.reasons.length === 0 ? undefined : member.reasons,
    result: member.result,
    resource: member.resource,
    error: member.error,
  };
}

/** `Patient?name=Smith&_count=5` is `Patient?name&_count`; `since` stays, which names nobody. */
function withoutValues(cohort: Cohort | SealedCohort): Cohort | SealedCohort {
  if (!('search' in cohort)) return cohort;
  const [path = '', query] = cohort.search.split('?', 2);
  if (query === undefined) return { ...cohort, search: path };
  return { ...cohort, search: `${path}?${[...new URLSearchParams(query).keys()].join('&')}` };
}
