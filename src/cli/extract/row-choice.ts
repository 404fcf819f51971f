import { parseAsOf } from '../../entrances/fhir-operation/parse-as-of.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { Cohort } from '../../runs/run.ts';
import type { Anchor } from './anchor-rows.ts';
import { checkRowList, type ListContent } from './row-list.ts';

/** Which instant a row is about: one for all, one for each encounter, or that of the line of the list. */
export type RowTime =
  | { readonly asOf: Date }
  | { readonly anchor: Anchor; readonly classes: readonly string[] }
  | { readonly from: 'list' };

/** Who has rows, and when. */
export interface RowChoice {
  readonly cohort: Cohort | { readonly list: string };
  readonly time: RowTime;
}

/** The options of a command that say so, as they were given. */
export interface GivenChoice {
  readonly cohort: string;
  readonly asOf: string | undefined;
  readonly anchor: string | undefined;
  readonly classes: readonly string[] | undefined;
}

const nothingListed: ListContent = { hasAsOf: false, hasEncounter: false };
const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/**
 * Throws PARAMETER_INVALID; a list of rows is read once for that.
 * @param command its name, for messages
 */
export async function parseRowChoice(
  given: GivenChoice,
  timeZone: () => string,
  command: 'extract' | 'evaluate',
): Promise<RowChoice> {
  const cohort = cohortOf(given.cohort);
  const listed = 'list' in cohort ? await checkRowList(cohort.list, timeZone()) : nothingListed;
  return { cohort, time: timeOf(given, listed, timeZone, command) };
}

function cohortOf(text: string): RowChoice['cohort'] {
  if (text === 'all') return { all: true };
  if (text.startsWith('Group/')) return { group: text };
  if (text.startsWith('Patient?')) return { search: text };
  return { list: text };
}

function timeOf(
  { asOf, anchor, classes }: GivenChoice,
  { hasAsOf, hasEncounter }: ListContent,
  timeZone: () => string,
  command: string,
): RowTime {
  const ways = [asOf, anchor, hasAsOf || undefined].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw invalid(
      `${command} needs one of --as-of, --anchor and a column as_of in the list of --cohort; ${ways.length === 0 ? 'none' : 'more'} was given.`,
    );
  if (classes !== undefined && anchor === undefined) throw invalid('--class goes with --anchor.');
  if (anchor !== undefined && hasEncounter)
    throw invalid('--anchor takes each encounter of a subject: leave the column encounter out of the list.');
  if (asOf !== undefined) return { asOf: parseAsOf(asOf, timeZone(), '--as-of') };
  if (anchor === undefined) return { from: 'list' };
  if (anchor !== 'encounter-start' && anchor !== 'encounter-end')
    throw invalid(`--anchor is encounter-start or encounter-end, not '${anchor}'.`);
  return { anchor, classes: (classes ?? []).map(classToken) };
}

/** A bare code is one of the HL7 codes that R4 binds the class of encounters to. */
function classToken(text: string): string {
  if (/^[A-Za-z0-9-]{1,32}$/.test(text)) return `${actCode}|${text}`;
  if (/^[^|\s]+\|[^|\s]+$/.test(text)) return text;
  throw invalid(`--class is a code (IMP) or system|code, not '${text}'.`);
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message);
}
