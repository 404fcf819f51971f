import type { Procedure } from '@medplum/fhirtypes';
import { compileTokens } from '../fhir/codes.ts';
import type { ProcedureDefinition } from '../model-catalog/feature-map-schema.ts';
import { compileUndecodable } from './decode-candidate.ts';
import { compileEvents, type RecordedEvent } from './event.ts';
import type { ExtractionContext, FeatureExtractor } from './feature-extractor.ts';
import { changesMeaning } from './unknown-meaning.ts';

/** Statuses of what was not performed, or is no procedure of this patient (FHIR event-status). */
const notPerformed: readonly string[] = ['preparation', 'not-done', 'entered-in-error'];

/**
 * Procedures that were performed: whether there is one that counts, how many, or how long ago. The status is today's, but
 * one that ended after as-of went on then. Without codes, what kind of procedure it was does not matter.
 * @throws RangeError where `per` cannot be counted in
 */
export function compileProcedure(definition: ProcedureDefinition): FeatureExtractor {
  const { codes } = definition;
  const statuses: readonly string[] = definition.status ?? ['completed'];
  const isListed = codes === undefined ? () => true : compileTokens(codes);
  const undecodableBecause =
    codes === undefined ? () => undefined : compileUndecodable('procedure', codes, definition.suspectText);

  const read = (procedure: Procedure, status: string | undefined): ReturnType<RecordedEvent['read']> => {
    if (changesMeaning(procedure)) return { unknown: 'a procedure carries a modifier that is not known here' };
    const isUnknown = status === undefined || status === 'unknown';
    if (!isUnknown && !statuses.includes(status)) return false;
    if (isListed(procedure.code)) return isUnknown ? { unknown: 'the status of a procedure is unknown' } : true;
    const unknown = undecodableBecause(procedure.code);
    return unknown === undefined ? false : { unknown };
  };

  return compileEvents(definition, (context) => {
    const events: RecordedEvent[] = [];
    for (const procedure of context.record.byType('Procedure')) {
      if (notPerformed.includes(procedure.status)) continue;
      const begun = context.rangeOf(procedure.performedPeriod?.start);
      if (begun !== undefined && begun.start > context.asOf) continue;
      const { at, status, goesOn } = performed(context, procedure);
      events.push({
        resource: procedure,
        at,
        goesOn,
        encounter: procedure.encounter?.reference,
        read: () => read(procedure, status),
      });
    }
    return events;
  });
}

/** When it was performed (to its end, where that is known), and its status then. An age or a text is no time that can be used. */
function performed(
  context: ExtractionContext,
  { performedDateTime, performedPeriod, status }: Procedure,
): { readonly at: string | undefined; readonly status: string; readonly goesOn: boolean } {
  const start = performedPeriod?.start;
  const end = performedPeriod?.end;
  const ended = context.rangeOf(end);
  if (ended !== undefined && ended.start > context.asOf)
    return { at: start, status: status === 'unknown' ? status : 'in-progress', goesOn: true };
  // How long one went on that says only when it began is not known; that it went on then is.
  const goesOn = status === 'in-progress';
  if (performedPeriod !== undefined) return { at: end ?? (goesOn ? start : undefined), status, goesOn };
  return { at: performedDateTime, status, goesOn };
}
