import type { ObservationContent } from './build-observation.ts';
import type { Person } from './draw-person.ts';
import type { LaboratoryConcept } from './laboratory-catalogue.ts';
import { rounded } from './rounded.ts';
import { dayMs } from './sample-time.ts';

/** One result before it becomes a resource. */
export interface LaboratoryResult {
  readonly name: LaboratoryConcept['name'];
  readonly content: ObservationContent;
}

/**
 * The results as a real laboratory leaves them: withdrawn, corrected, preliminary, cancelled, beyond the measuring
 * range, contradictory, or without a unit. Takes the results oldest first; each trap sits on the newest of its kind.
 */
export function withDoubtfulResults(person: Person, results: readonly LaboratoryResult[]): ObservationContent[] {
  const { situations } = person;
  const cholesterol = results.findLast((result) => result.name === 'total-cholesterol');
  const albumin = results.findLast((result) => result.name === 'albumin');
  const replacements = new Map<LaboratoryResult, ObservationContent>();
  const additions: ObservationContent[] = [];

  if (albumin !== undefined && situations.has('comparator-albumin')) {
    replacements.set(albumin, beyond(albumin.content, '<', 5));
  }
  if (cholesterol !== undefined) {
    const { content } = cholesterol;
    if (situations.has('preliminary-newer')) {
      additions.push({ ...scaled(content, 1.3), ...daysLater(content, 1), status: 'preliminary' });
    }
    if (situations.has('corrected')) {
      replacements.set(cholesterol, { ...scaled(content, 1.45), status: 'entered-in-error' });
      const note = 'Replaces a value that had been assigned to the wrong specimen.';
      additions.push({ ...content, status: 'corrected', issuedMs: content.issuedMs + 2 * dayMs, note });
    }
    if (situations.has('cancelled')) additions.push(cancelled(content));
    if (situations.has('comparator-cholesterol')) {
      replacements.set(cholesterol, beyond(content, '>', content.quantity?.unit === 'mmol/L' ? 10.34 : 400));
    }
    if (situations.has('conflict')) additions.push(scaled(content, 1.15));
    if (situations.has('unit-missing')) {
      replacements.set(cholesterol, { ...content, quantity: { value: content.quantity?.value } });
    }
  }
  return [...results.map((result) => replacements.get(result) ?? result.content), ...additions];
}

function daysLater(content: ObservationContent, days: number): Pick<ObservationContent, 'effectiveMs' | 'issuedMs'> {
  return { effectiveMs: content.effectiveMs + days * dayMs, issuedMs: content.issuedMs + days * dayMs };
}

function scaled(content: ObservationContent, factor: number): ObservationContent {
  const value = content.quantity?.value;
  if (value === undefined) return content;
  return { ...content, quantity: { ...content.quantity, value: rounded(value * factor, value < 30 ? 2 : 0) } };
}

function beyond(content: ObservationContent, comparator: '<' | '>', limit: number): ObservationContent {
  return { ...content, quantity: { ...content.quantity, value: limit, comparator } };
}

function cancelled(content: ObservationContent): ObservationContent {
  return {
    ...content,
    ...daysLater(content, 1),
    status: 'cancelled',
    quantity: undefined,
    dataAbsentReason: 'error',
    note: 'Specimen not usable.',
  };
}
