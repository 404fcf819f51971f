import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { extractFeatures } from '../../src/features/extract-features.ts';
import type { FeatureValue, Verdict } from '../../src/features/feature-vector.ts';
import { recordQueries } from '../../src/model-catalog/record-queries.ts';
import { callerBase, callerReader } from '../../src/records/caller-reader.ts';
import type { RecordResource } from '../../src/records/clinical-record.ts';
import { gatherRecord } from '../../src/records/gather-record.ts';
import { asOf } from './arbitrary-terms.ts';
import type { MapUnderTest } from './map-under-test.ts';

/** What an input says to the model and to a reader of the result. The order of its sources says nothing. */
export type Input = Partial<
  Record<'state' | 'value' | 'because' | 'needs' | 'at' | 'original' | 'given' | 'detail' | 'steps' | 'text', unknown>
> & { readonly sources: readonly string[] };

/** By `model feature`, and by `model: outcome` what the model may say. */
export type Inputs = Readonly<Record<string, Input>>;

function inputOf({ sources, ...said }: FeatureValue): Input {
  const { state, value, because, needs, at, original, given, detail, steps, text }: Omit<Input, 'sources'> = said;
  const names = sources.map(({ reference, display }) => reference ?? display ?? '');
  return {
    state,
    value,
    because,
    needs,
    at,
    original,
    given,
    detail,
    steps,
    text,
    sources: [...new Set(names)].sort(),
  };
}

function saidOf(verdict: Verdict): Input {
  const reasons = verdict.state === 'score' ? [] : verdict.reasons.map(({ reason }) => reason);
  return { state: verdict.state, needs: reasons, sources: [] };
}

/**
 * Reads the inputs of all maps, through the real gather step and the real extraction; about Encounter/index where it is
 * held.
 */
export function inputReader(
  maps: readonly MapUnderTest[],
): (resources: readonly RecordResource[], zone?: string) => Promise<Inputs> {
  // What only the caller holds is read whole, whatever is asked.
  const queries = maps.flatMap(({ map }) => recordQueries(map, asOf, ['consent', 'group']));
  return async (resources, zone = 'UTC') => {
    const isHeld = resources.some(({ resourceType, id }) => resourceType === 'Encounter' && id === 'index');
    const record = await gatherRecord({
      source: callerReader(resources),
      subject: { tenant: 'default', base: callerBase, id: '1' },
      queries,
      seed: resources.map((resource, index) => ({ resource, expression: `Parameters.parameter[${index}].resource` })),
      asOf,
      ...(isHeld && { encounter: 'index' }),
    });
    const inputs: Record<string, Input> = {};
    for (const { id, manifest, compiled } of maps) {
      const { features, verdicts } = extractFeatures(record, compiled, manifest, new Map(), zone);
      for (const [name, value] of features) inputs[`${id} ${name}`] = inputOf(value);
      for (const [outcome, verdict] of verdicts) inputs[`${id}: ${outcome}`] = saidOf(verdict);
    }
    return inputs;
  };
}

/** @param alike what is compared of each input; absent: all of it */
export function same(found: Inputs, wanted: Inputs, alike: (input: Input) => object = (input) => input): void {
  const compared = (inputs: Inputs) =>
    Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, alike(input)]));
  const [left, right] = [compared(found), compared(wanted)];
  // The comparison that explains itself takes most of the time of a case.
  if (!isDeepStrictEqual(left, right)) expect(left).toEqual(right);
}
