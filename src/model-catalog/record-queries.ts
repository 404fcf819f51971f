import { DateTime, Duration } from 'luxon';
import type { MedicationType } from '../fhir/medication-types.ts';
import type { FeatureDefinition, FeatureMap, SequenceDefinition, TextDefinition } from './feature-map-schema.ts';
import { type MedicationSource, medicationSources, typeOfSource } from './medication-schema.ts';
import { gridWindow } from './sequence-grid.ts';

type SearchedType =
  | 'Observation'
  | 'Condition'
  | MedicationType
  | 'Encounter'
  | 'Procedure'
  | 'QuestionnaireResponse'
  | 'DiagnosticReport'
  | 'ServiceRequest'
  | 'AllergyIntolerance'
  | 'FamilyMemberHistory'
  | 'Appointment'
  | 'Consent'
  | 'Group'
  | 'ImagingStudy';

/** Kinds of features that read all of a type, with the key of its query. */
const readWhole: Readonly<
  Partial<Record<FeatureDefinition['kind'], { readonly key: string; readonly type: SearchedType }>>
> = {
  procedure: { key: 'procedures', type: 'Procedure' },
  allergy: { key: 'allergies', type: 'AllergyIntolerance' },
  'family-history': { key: 'familyHistories', type: 'FamilyMemberHistory' },
  'service-request': { key: 'serviceRequests', type: 'ServiceRequest' },
  appointment: { key: 'appointments', type: 'Appointment' },
  questionnaire: { key: 'questionnaireResponses', type: 'QuestionnaireResponse' },
  // Without modality and start: a study that lists no series, or says not when it began, must be seen.
  image: { key: 'imagingStudies', type: 'ImagingStudy' },
};

/**
 * One FHIR search that a feature map needs. `patient` and time limits are filled in per subject:
 * the query itself is made once, at load.
 */
export interface RecordQuery {
  /** Names the query among those of one feature map; the key of its CDS Hooks prefetch template. */
  readonly key: string;
  readonly type: SearchedType;
  /** `system|code` tokens, any of which matches; absent: all codes. */
  readonly codes?: readonly string[];
  /** Lower limit of the clinical date (inclusive), as an instant; absent: no limit. */
  readonly since?: Date;
  /** How the subject is named in the search: `patient=…` or, for Group, `member=Patient/…`. */
  readonly subjectParameter: 'patient' | 'member';
  /** The search that a site has put in its place at a server over HTTP. */
  readonly siteSearch?: SiteSearch;
}

/** `{{patient}}` stands for the subject's id, `{{since}}` for the lower limit of the date. */
export interface SiteSearch {
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly codes?: readonly string[];
}

/**
 * Turns a feature map into the FHIR searches it needs for one as-of. Everything that reads clinical data asks this
 * one function, so that no two entrances read different data.
 * @param optOutBy which kinds of record are searched for an opt-out of the subject
 */
export function recordQueries(map: FeatureMap, asOf: Date, optOutBy: readonly ('consent' | 'group')[]): RecordQuery[] {
  const queries: RecordQuery[] = [];
  const definitions = Object.values(map.features);
  const reported = definitions.filter(isReported);
  const observed = definitions
    .filter(
      (definition) =>
        definition.kind === 'observation' ||
        definition.kind === 'answer' ||
        definition.kind === 'category' ||
        definition.kind === 'text' ||
        definition.kind === 'sequence',
    )
    .filter((definition) => !isReported(definition));
  if (observed.length > 0) {
    const codes = new Set<string>();
    for (const definition of observed) {
      for (const code of definition.codes ?? []) codes.add(code);
      for (const code of definition.component?.panels ?? []) codes.add(code);
    }
    // How long before as-of the encounter of the call began or ended is not known here.
    const isAnchored = observed.some((definition) => 'anchor' in definition && definition.anchor !== 'as-of');
    const since = isAnchored
      ? {}
      : { since: earliest(observed.map((definition) => before(asOf, windowOf(definition)))) };
    queries.push({
      key: 'observations',
      type: 'Observation',
      codes: [...codes],
      ...since,
      subjectParameter: 'patient',
    });
  }
  if (reported.length > 0)
    queries.push({
      key: 'diagnosticReports',
      type: 'DiagnosticReport',
      codes: [...new Set(reported.flatMap(({ codes = [] }) => codes))],
      subjectParameter: 'patient',
    });
  // Without codes: a candidate that cannot be decoded must be seen, for it forbids to assume absence.
  if (definitions.some((definition) => definition.kind === 'condition'))
    queries.push({ key: 'conditions', type: 'Condition', subjectParameter: 'patient' });
  const taken = new Set(
    definitions.flatMap((definition) => (definition.kind === 'medication' ? medicationSources(definition) : [])),
  );
  for (const source of Object.keys(keyOfSource) as MedicationSource[]) {
    if (taken.has(source))
      queries.push({ key: keyOfSource[source], type: typeOfSource[source], subjectParameter: 'patient' });
  }
  for (const kind of new Set(definitions.map((definition) => definition.kind))) {
    const query = readWhole[kind];
    if (query !== undefined) queries.push({ ...query, subjectParameter: 'patient' });
  }
  const alive = definitions.flatMap((definition) =>
    'absent' in definition && definition.absent !== undefined ? [before(asOf, definition.absent.encounterWithin)] : [],
  );
  // An encounter may be over long before what was measured in it is written down: where one is asked for, all are read.
  if (definitions.some(isJoined)) queries.push({ key: 'encounters', type: 'Encounter', subjectParameter: 'patient' });
  else if (alive.length > 0)
    queries.push({ key: 'encounters', type: 'Encounter', since: earliest(alive), subjectParameter: 'patient' });
  if (optOutBy.includes('consent')) queries.push({ key: 'consents', type: 'Consent', subjectParameter: 'patient' });
  if (optOutBy.includes('group'))
    queries.push({ key: 'optOutGroups', type: 'Group', codes: [optOutToken], subjectParameter: 'member' });
  return queries;
}

const keyOfSource: Readonly<Record<MedicationSource, string>> = {
  request: 'medicationRequests',
  statement: 'medicationStatements',
  administration: 'medicationAdministrations',
  dispense: 'medicationDispenses',
};

/** Whether it is read from DiagnosticReports. */
function isReported(definition: FeatureDefinition): definition is TextDefinition {
  return definition.kind === 'text' && definition.from === 'report';
}

/** How long before as-of what a feature reads may lie. */
function windowOf(definition: { readonly window: string } | SequenceDefinition): string {
  return 'window' in definition ? definition.window : gridWindow(definition);
}

/** Whether encounters are asked for of which it is not known how long ago they were. */
function isJoined(definition: FeatureDefinition): boolean {
  if (definition.kind === 'encounter') return true;
  // What names another encounter may belong to a part of the one that is asked about.
  if ('during' in definition && definition.during !== undefined) return true;
  if (definition.kind === 'sequence') return definition.where !== undefined;
  return definition.kind === 'observation' && (definition.where !== undefined || definition.distinctBy === 'encounter');
}

/**
 * Whether a query is searched by its codes. R4's `code` finds every resource that may count only for these types: that of
 * MedicationRequest and its like hides those that name their Medication by a reference; Encounter and Consent have none.
 */
export function isSearchedByCode({ type }: RecordQuery): boolean {
  return type === 'Observation' || type === 'DiagnosticReport' || type === 'Condition' || type === 'Group';
}

/** As-of instants whose queries are kept: callers ask again and again about the last few minutes. */
const mostKept = 16;

/**
 * `recordQueries` of one feature map; those of the last instants are made once.
 * @param alter what a site puts in their place
 */
export function keptRecordQueries(
  map: FeatureMap,
  optOutBy: readonly ('consent' | 'group')[],
  alter: (queries: RecordQuery[]) => RecordQuery[] = (queries) => queries,
): (asOf: Date) => readonly RecordQuery[] {
  const kept = new Map<number, readonly RecordQuery[]>();
  return (asOf) => {
    const known = kept.get(asOf.getTime());
    if (known !== undefined) return known;
    const queries = alter(recordQueries(map, asOf, optOutBy));
    if (kept.size === mostKept) kept.clear();
    kept.set(asOf.getTime(), queries);
    return queries;
  };
}

/** Code of a Group whose members are never predicted about. */
export const optOutToken = 'https://fhirsight.org/fhir/CodeSystem/group-purpose|prediction-opt-out';

const calendarDuration = /^P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?$/;

/** The instant a duration before another, by the calendar in UTC: a day that the month has not is its last one. */
export function before(instant: Date, isoDuration: string): Date {
  const parts = calendarDuration.exec(isoDuration);
  const year = instant.getUTCFullYear() - Number(parts?.[1] ?? 0);
  if (parts === null || year < 1000) {
    return DateTime.fromJSDate(instant, { zone: 'utc' }).minus(Duration.fromISO(isoDuration)).toJSDate();
  }
  const month = instant.getUTCMonth() - Number(parts[2] ?? 0);
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const days = Number(parts[3] ?? 0) * 7 + Number(parts[4] ?? 0);
  const timeOfDayMs = instant.getTime() - Math.floor(instant.getTime() / dayMs) * dayMs;
  return new Date(Date.UTC(year, month, Math.min(instant.getUTCDate(), lastDay) - days) + timeOfDayMs);
}

const dayMs = 86_400_000;

function earliest(instants: readonly Date[]): Date {
  return new Date(Math.min(...instants.map((instant) => instant.getTime())));
}
