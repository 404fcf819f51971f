import { describe, expect, test } from 'vitest';
import { rowsWithoutParts } from '../../src/explanation/input-parts.ts';
import { explainByOcclusion } from '../../src/explanation/occlusion.ts';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { encode } from '../../src/inference/score.ts';
import type { InputColumn } from '../../src/model-catalog/column-value.ts';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { ModelRow } from '../../src/model-catalog/model-row.ts';

const pulse = { kind: 'sequence', steps: 4, fill: { limit: 2, source: 'tests' }, empty: { value: 70, since: 9 } };
const map = { features: { pulse, note: { kind: 'text' }, age: { kind: 'demographics' } } } as unknown as FeatureMap;

/** Pulse measured in bins 0 and 2: 60 and 90; bins 1 and 3 take the one before. */
const measured: FeatureValue = {
  state: 'derived',
  value: 2,
  from: [],
  detail: 'measured in 2 of 4 bins',
  steps: { value: [60, 60, 90, 90], mask: [1, 0, 1, 0], since: [0, 1, 0, 1] },
  sources: [],
};
const note = (content: string): FeatureValue => ({
  state: 'observed',
  value: content.length,
  text: { content },
  sources: [],
});

const channels = ['value', 'mask', 'since'] as const;
const pulseColumns: InputColumn[] = channels.flatMap((channel) =>
  [0, 1, 2, 3].map((bin) => ({ feature: 'pulse', at: { bin, channel } })),
);
const columns: InputColumn[] = [...pulseColumns, { feature: 'note' }, { feature: 'age' }];
const inputs: ModelRow = [60, 60, 90, 90, 1, 0, 1, 0, 0, 1, 0, 1, 'short of  breath', 61];
const features = new Map<string, FeatureValue>([
  ['pulse', measured],
  ['note', note('short of  breath')],
]);

describe('an input without one of its parts', () => {
  test('a sequence is what the map would have made of it without the measurement, later bins too', () => {
    const found = rowsWithoutParts(['pulse'], columns, inputs, features, map);
    expect(found.map(({ part }) => part)).toEqual([
      { kind: 'bin', bin: 0 },
      { kind: 'bin', bin: 2 },
    ]);
    expect(found[0]?.row).toEqual([70, 70, 90, 90, 0, 0, 1, 0, 9, 9, 0, 1, 'short of  breath', 61]);
    expect(found[1]?.row).toEqual([60, 60, 60, 70, 1, 0, 0, 0, 0, 1, 2, 3, 'short of  breath', 61]);
  });

  test('a text loses one word and the white space behind it, and nothing else changes', () => {
    const found = rowsWithoutParts(['note'], columns, inputs, features, map);
    expect(found.map(({ row }) => row.at(-2))).toEqual(['of  breath', 'short breath', 'short of  ']);
    expect(found.every(({ row }) => row.at(-1) === 61 && row[0] === 60)).toBe(true);
    expect(JSON.stringify(found.map(({ part }) => part))).not.toContain('breath');
  });

  test('nothing is left out of an input that is missing, or that is one value', () => {
    const missing: FeatureValue = { state: 'missing', because: 'not-found', detail: 'none', sources: [] };
    expect(rowsWithoutParts(['pulse'], columns, inputs, new Map([['pulse', missing]]), map)).toEqual([]);
    expect(rowsWithoutParts(['age'], columns, inputs, features, map)).toEqual([]);
  });

  test('a text of too many words is refused, with the way out', () => {
    const long = new Map([['note', note('word '.repeat(501))]]);
    expect(() => rowsWithoutParts(['note'], columns, inputs, long, map)).toThrow(/501 words.*up to 500.*maxLength/);
  });

  test('each part has a contribution of its own beside those of whole inputs', async () => {
    const outcome = { kind: 'measurement', id: 'late', label: 'Late', column: 0, unit: '1', range: [-1e3, 1e3] };
    const { contributions, bases } = await explainByOcclusion({
      columns,
      encode,
      inputs,
      reference: { age: 51 },
      parts: rowsWithoutParts(['pulse', 'note'], columns, inputs, features, map),
      outcomes: [outcome] as never,
      // The newest pulse, the age, and ten for each word.
      run: async (rows) =>
        rows.map((row) => [Number(row[3]) + Number(row[13]) + 10 * String(row[12]).trim().split(/\s+/).length]),
    });
    expect(contributions.map(({ feature, part, difference }) => [feature, part, difference])).toEqual([
      ['age', undefined, 10],
      ['pulse', { kind: 'bin', bin: 0 }, 0],
      ['pulse', { kind: 'bin', bin: 2 }, 20],
      ['note', { kind: 'word', index: 0 }, 10],
      ['note', { kind: 'word', index: 1 }, 10],
      ['note', { kind: 'word', index: 2 }, 10],
    ]);
    expect(bases).toEqual([{ outcome: 'late', scale: 'score', base: 171 }]);
  });
});
