import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/model-catalog/manifest-schema.ts';
import { checkClassLabels } from '../../../src/model-catalog/registration/check-class-labels.ts';
import type { GraphFacts } from '../../../src/model-catalog/registration/graph-facts.ts';

const labelled: GraphFacts['labelled'] = [
  { output: 'label', operator: 'LinearClassifier', holds: 'label', labels: [0, 1] },
  { output: 'scores', operator: 'ZipMap', holds: 'scores', labels: [0, 1] },
];

function manifestOf(outcome: object): Manifest {
  const outputs = [
    { name: 'label', type: 'int64', columns: 1 },
    { name: 'scores', type: 'float32', columns: 2 },
  ];
  return { tensors: { outputs }, outcomes: [{ id: 'ill', label: 'Ill', ...outcome }] } as unknown as Manifest;
}
const probability = (rest: object): Manifest => manifestOf({ kind: 'probability', horizon: 'P1D', ...rest });
const messages = (manifest: Manifest): string[] =>
  (checkClassLabels({ labelled }, manifest).findings ?? []).map(({ path, message }) => `${path} ${message}`);

test('the class of a column is what the outcome says: the probability of being well is not served as that of being ill', () => {
  expect(messages(probability({ column: 2, classLabel: 1 }))).toEqual([]);
  expect(messages(probability({ column: 1, classLabel: 1 }))).toEqual([
    '/outcomes/0 has classLabel 1, but column 1 is that of 0; the column of 1 is 2 (scores comes from a ZipMap, whose classes are: 0 in column 1, 1 in column 2)',
  ]);
});

test('an outcome that says no class is told which there are, and in which columns', () => {
  expect(messages(probability({ column: 2 }))).toEqual([
    '/outcomes/0 needs classLabel: scores comes from a ZipMap, whose classes are: 0 in column 1, 1 in column 2. Say which class ill is about; column 2 is that of 1',
  ]);
});

test('a class that the graph has not is named, and a text is no number', () => {
  expect(messages(probability({ column: 2, classLabel: '1' }))).toEqual([
    expect.stringContaining('has classLabel "1", but column 2 is that of 1; the graph has no class "1"'),
  ]);
});

test('the label itself is no probability, and each label is a declared class', () => {
  expect(messages(probability({ column: 0 }))).toEqual([
    expect.stringContaining('reads label, the class that a LinearClassifier decided on (one of 0, 1), and no score'),
  ]);
  const classes = (...numbers: number[]) =>
    manifestOf({ kind: 'class', column: 0, classes: numbers.map((number) => ({ number, code: `c${number}` })) });
  expect(messages(classes(0, 1))).toEqual([]);
  expect(messages(classes(1, 2))).toEqual([
    '/outcomes/0 declares no class for 0, which label (LinearClassifier) can give; declare every one of 0, 1',
  ]);
});

test('classes with a column each name the class of their column', () => {
  const classes = (first: number, second: number) =>
    manifestOf({
      kind: 'class',
      classes: [
        { number: 0, code: 'well', column: 1, classLabel: first },
        { number: 1, code: 'ill', column: 2, classLabel: second },
      ],
    });
  expect(messages(classes(0, 1))).toEqual([]);
  expect(messages(classes(1, 0))).toEqual([
    expect.stringMatching(/^\/outcomes\/0\/classes\/0 has classLabel 1, but column 1 is that of 0/),
    expect.stringMatching(/^\/outcomes\/0\/classes\/1 has classLabel 0, but column 2 is that of 1/),
  ]);
});

test('a measurement is no score of a class', () => {
  expect(messages(manifestOf({ kind: 'measurement', column: 2 }))).toEqual([
    expect.stringContaining('reads column 2, the score of the class 1, as what it is not'),
  ]);
});

test('what the graph says nothing of cannot be compared, and is told', () => {
  const checked = checkClassLabels({ labelled: [] }, probability({ column: 2, classLabel: 1 }));
  expect(checked).toMatchObject({ count: 0, findings: [] });
  expect(checked.notes?.map(({ message }) => message)).toEqual([
    'has classLabel 1, which cannot be compared: the graph names no classes for column 2',
  ]);
});
