import type { Group, Resource } from '@medplum/fhirtypes';
import { isFhirId } from '../../fhir/reference.ts';
import type { ListedStudy, StudyIndex } from '../../fhir/studies/study-index.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { CohortSource } from '../../runs/cohort-source.ts';
import type { FoundSubject } from '../../runs/member-table.ts';
import type { Cohort } from '../../runs/run.ts';
import { groupSubjects } from './group-subjects.ts';
import { type CohortSearch, parseCohortSearch } from './parse-cohort-search.ts';
import { studyMember } from './study-member.ts';

/** What cohorts need of the record source. */
export interface PatientIndex {
  /** Bases whose references are the source's own. */
  readonly bases: readonly string[];
  /** Undefined where there is none. */
  readGroup(id: string, signal?: AbortSignal): Promise<Resource | undefined>;
  /** Ids of all patients, page by page. */
  allPatients(signal: AbortSignal): AsyncIterable<readonly string[]>;
  /** Ids of the patients that a search finds, page by page. */
  searchPatients(
    parameters: readonly (readonly [string, string])[],
    signal: AbortSignal,
  ): AsyncIterable<readonly string[]>;
  /** Throws PARAMETER_INVALID for a search that the source is known to refuse. */
  checkSearch(parameters: readonly (readonly [string, string])[]): void;
}

/**
 * Reads cohorts from the record source.
 * @param studies absent: a cohort of studies is refused
 */
export function openCohortSource(index: PatientIndex, timeZone: string, studies?: StudyIndex): CohortSource {
  const requireStudies = (): StudyIndex => {
    if (studies !== undefined) return studies;
    const message = 'Here a cohort is of patients, not of imaging studies: a search must be on Patient.';
    throw new PredictionError('PARAMETER_INVALID', message, {
      issues: [{ code: 'value', message, expression: 'cohort.search' }],
    });
  };
  const studyPages = async function* ({ parameters }: CohortSearch, since: Date | undefined, signal: AbortSignal) {
    const { bases, list } = requireStudies();
    const changed = since === undefined ? [] : [['_lastUpdated', `ge${since.toISOString()}`] as const];
    for await (const page of list([...parameters, ...changed], signal)) {
      if (since !== undefined) requireChanged(page, since);
      yield page.flatMap((study) => studyMember(study, bases));
    }
  };
  const readGroup = async (group: string, signal?: AbortSignal): Promise<Group> => {
    const id = groupId(group);
    const found = await index.readGroup(id, signal);
    if (found?.resourceType === 'Group') return found;
    throw new PredictionError('RESOURCE_UNKNOWN', `There is no Group/${id} at the record source.`, {
      issues: [{ message: `There is no Group/${id} at the record source.`, expression: 'cohort.group' }],
    });
  };
  const members = async (group: string, asOf: Date, signal?: AbortSignal): Promise<FoundSubject[]> =>
    groupSubjects(await readGroup(group, signal), { bases: index.bases, timeZone, asOf });

  return {
    async check(cohort) {
      if ('search' in cohort) {
        const { type, parameters } = parseCohortSearch(cohort);
        if (type === 'Patient') index.checkSearch(parameters);
        else requireStudies().checkSearch(parameters);
      }
      if ('group' in cohort) await members(cohort.group, new Date(0));
    },
    async *read(cohort: Cohort, asOf, signal, changedSince) {
      if ('group' in cohort) {
        yield await members(cohort.group, asOf, signal);
        return;
      }
      const search = 'search' in cohort ? parseCohortSearch(cohort) : undefined;
      if (search?.type === 'ImagingStudy') {
        if ('search' in cohort && (cohort.since === undefined) !== (changedSince === undefined))
          throw new RangeError('it is not said from when on the studies of the cohort have changed');
        yield* studyPages(search, changedSince, signal);
        return;
      }
      const pages = search === undefined ? index.allPatients(signal) : index.searchPatients(search.parameters, signal);
      for await (const page of pages) yield page.map((subject) => ({ subject }));
    },
  };
}

/** Some servers keep seconds only. */
const clockGrainMs = 60_000;

/** Throws PARAMETER_INVALID where a server has ignored from when on studies were asked for: the run would be over all there are. */
function requireChanged(studies: readonly ListedStudy[], since: Date): void {
  const old = studies.find(({ meta }) => Date.parse(meta?.lastUpdated ?? '') < since.getTime() - clockGrainMs);
  if (old === undefined) return;
  const message = `The record source does not search ImagingStudy by _lastUpdated: it gave ImagingStudy/${old.id}, which has not changed since ${since.toISOString()}. Leave out since, and search by started.`;
  throw new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'not-supported', message, expression: 'cohort.since' }],
  });
}

function groupId(group: string): string {
  const id = /^Group\/(.+)$/.exec(group)?.[1];
  if (id !== undefined && isFhirId(id)) return id;
  const message = 'A group is named as Group/[id], by its id at the record source.';
  throw new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'value', message, expression: 'cohort.group' }],
  });
}
