import type { Extension, Observation, ObservationComponent } from '@medplum/fhirtypes';
import type { Answer } from './fhir-test-server.ts';
import { type ReadOutcome, readOutcomes } from './predict-call.ts';

/** One outcome that is no probability: points or a value in its unit, a class by its code, or what withholds it. */
export type ReadScore =
  | { readonly state: 'score'; readonly value: number; readonly unit: string; readonly level?: string }
  | { readonly state: 'score'; readonly code: string }
  | Exclude<ReadOutcome, { readonly probability: number }>;

/** Every outcome of an answer whose result is an Observation, by id. Throws for anything but a 200 or a 422. */
export function readScores(answer: Answer): Map<string, ReadScore> {
  if (answer.status === 422) {
    const outcomes = new Map<string, ReadScore>();
    for (const [id, outcome] of readOutcomes(answer)) if ('reasons' in outcome) outcomes.set(id, outcome);
    return outcomes;
  }
  if (answer.status !== 200) throw new Error(`$predict answered ${answer.status}: ${answer.text}`);
  const result = answer.body as Observation;
  if (result.resourceType !== 'Observation') throw new Error(`the result is a ${result.resourceType}`);
  const scores = new Map<string, ReadScore>();
  for (const { extension = [] } of extensionsOf(result, 'prediction-abstention')) {
    const id = extension.find(({ url }) => url === 'outcome')?.valueCode ?? '';
    scores.set(id, {
      state: extension.find(({ url }) => url === 'verdict')?.valueCode ?? '',
      reasons: extension.flatMap(({ url, valueString }) => (url === 'reason' ? [valueString ?? ''] : [])),
    });
  }
  for (const holder of [result, ...(result.component ?? [])]) {
    const id = extensionsOf(holder, 'prediction-outcome-id')[0]?.valueCode ?? '';
    const score = scoreOf(holder);
    if (score === undefined && scores.has(id)) continue;
    if (score === undefined || scores.has(id)) throw new Error(`${id} has a value and an abstention, or neither`);
    scores.set(id, score);
  }
  return scores;
}

function scoreOf(holder: Observation | ObservationComponent): ReadScore | undefined {
  const { valueQuantity, valueCodeableConcept } = holder;
  if (valueCodeableConcept !== undefined) return { state: 'score', code: valueCodeableConcept.coding?.[0]?.code ?? '' };
  if (valueQuantity?.value === undefined) return undefined;
  const level = holder.interpretation?.[0]?.coding?.[0]?.code;
  const { value, code: unit = '' } = valueQuantity;
  return { state: 'score', value, unit, ...(level === undefined ? {} : { level }) };
}

function extensionsOf({ extension = [] }: { readonly extension?: Extension[] }, name: string): Extension[] {
  return extension.filter(({ url }) => url === `https://fhirsight.org/fhir/StructureDefinition/${name}`);
}
