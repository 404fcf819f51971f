import { describe, expect, test } from 'vitest';
import { featureTable } from '../../src/model-catalog/feature-table.ts';
import { tableRows } from '../support/markdown-blocks.ts';
import { bareMap, shippedModel } from '../support/shipped-model.ts';

const { featureMap } = await shippedModel('prevent-base');

describe('the table of features', () => {
  test('has a row for each feature of a shipped model, in the order of its map', () => {
    const rows = tableRows(featureTable(featureMap));
    expect(rows.map(([name, label, kind]) => [name, label, kind])).toEqual(
      Object.entries(featureMap.features).map(([name, { label, kind }]) => [`\`${name}\``, label, kind]),
    );
  });

  test('says codes, unit and range, window, pick, and what is done where a value is missing', () => {
    const map = bareMap({
      creatinine: {
        kind: 'observation',
        label: 'Creatinine | serum',
        unit: 'mg/dL',
        codes: ['http://loinc.org|2160-0', 'http://loinc.org|38483-4'],
        window: 'P1Y',
        pick: 'latest',
        plausible: [0.1, 40],
        missing: {
          impute: [
            { because: ['not-found'], when: { feature: 'sex', equals: 'male' }, value: 1, source: 'the training set' },
            { because: ['not-found', 'too-few'], value: 0.9, source: 'the training set' },
          ],
        },
      },
      diabetes: {
        kind: 'condition',
        label: 'Diabetes',
        codes: ['http://snomed.info/sct|73211009'],
        when: 'ever',
        absent: { assume: false, encounterWithin: 'P2Y' },
      },
      sex: { kind: 'demographics', label: 'Sex', element: 'sex', vocabulary: { female: ['female'], male: ['male'] } },
    });
    expect(featureTable(map).split('\n')).toEqual([
      '| feature | meaning | kind | codes | value | window | taken | where it is missing |',
      '|---|---|---|---|---|---|---|---|',
      '| `creatinine` | Creatinine \\| serum | observation | 2 | mg/dL, 0.1 to 40 | P1Y | latest | abstain; 1 for not-found where sex is male; 0.9 for not-found, too-few |',
      '| `diabetes` | Diabetes | condition | 1 | yes or no |  |  | abstain; none found is no, with an encounter within P2Y |',
      '| `sex` | Sex | demographics |  | female, male |  |  | abstain |',
      '',
    ]);
  });

  test('says of a sequence how long it is, in how many bins, and what is made of each', () => {
    const map = bareMap({
      pulse: {
        kind: 'sequence',
        label: 'Pulse',
        unit: '/min',
        codes: ['http://loinc.org|8867-4'],
        step: 'PT1H',
        steps: 48,
        each: 'mean',
        empty: { value: 80, since: 48, source: 'the training set' },
        atLeast: 12,
        plausible: [10, 350],
        missing: 'abstain',
      },
    });
    expect(tableRows(featureTable(map))).toEqual([
      ['`pulse`', 'Pulse', 'sequence', '1', '/min, 10 to 350, in 48 bins', 'PT48H', 'mean', 'abstain'],
    ]);
  });
});
