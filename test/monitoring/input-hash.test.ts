import { expect, test } from 'vitest';
import type { FeatureValue } from '../../src/features/feature-vector.ts';
import { inputHash } from '../../src/monitoring/input-hash.ts';
import { readImage } from '../support/image-map.ts';

const steps = { value: [61, 62], mask: [1, 0], since: [0, 1] };
const hashOf = (parts: Partial<typeof steps>): string => {
  const pulse: FeatureValue = { state: 'derived', value: 1, from: [], sources: [], steps: { ...steps, ...parts } };
  return inputHash({ features: new Map([['pulse', pulse]]), verdicts: new Map(), basis: [] });
};

const hashOfText = (content: string): string => {
  const note: FeatureValue = { state: 'observed', value: content.length, text: { content }, sources: [] };
  return inputHash({ features: new Map([['note', note]]), verdicts: new Map(), basis: [] });
};

test('two texts of one length, but other words, are not the same inputs', () => {
  expect(hashOfText('chest pain')).not.toBe(hashOfText('chest hurt'));
  expect(hashOfText('chest pain')).toMatch(/^[0-9a-f]{64}$/);
});

test('two sequences with as many measurements, but other numbers, are not the same inputs', () => {
  const hashes = [{}, { value: [61, 63] }, { mask: [0, 1] }, { since: [0, 2] }].map(hashOf);
  expect(new Set(hashes).size).toBe(4);
  expect(hashOf({})).toBe(hashes[0]);
});

test('two images of one shape that differ in one pixel, or come from another frame, are not the same inputs', () => {
  const hashes = [readImage(), readImage([0, 0.25, 0.5, 0.75]), readImage(undefined, 2)].map((image) =>
    inputHash({ features: new Map([['frontal', image]]), verdicts: new Map(), basis: [] }),
  );
  expect(new Set(hashes).size).toBe(3);
});
