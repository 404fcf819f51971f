import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InferenceEngine } from '../../src/inference/inference-engine.ts';
import { createOnnxEngine } from '../../src/inference/onnx-engine.ts';
import { type Catalog, loadCatalog } from '../../src/model-catalog/catalog.ts';
import { compileExpression } from '../../src/model-catalog/expression.ts';
import { bandsOf } from '../../src/model-catalog/outcome-score.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { casesDir, casesPresent, readCsv } from '../support/cases.ts';
import { publishedModels } from '../support/demonstrations.ts';
import { type Person, scorePeople } from '../support/score-people.ts';
import { someModels } from '../support/some-models.ts';

let engine: InferenceEngine;
let catalog: Catalog;
beforeAll(async () => {
  engine = createOnnxEngine();
  catalog = await loadCatalog({ modelsDir: await someModels(publishedModels), engine, clock: systemClock });
});
afterAll(() => engine.close());

const risks = (model: string, people: readonly Person[]) => scorePeople(catalog, model, people);

function preventPerson(row: Record<string, string>): Person {
  return {
    age: Number(row.age),
    sex: String(row.sex),
    totalCholesterol: Number(row.total_c),
    hdlCholesterol: Number(row.hdl_c),
    systolicBloodPressure: Number(row.sbp),
    bodyMassIndex: Number(row.bmi),
    estimatedGfr: Number(row.egfr),
    diabetes: Number(row.dm),
    currentSmoker: Number(row.smoking),
    antihypertensiveMedication: Number(row.bp_tx),
    statinMedication: Number(row.statin),
  };
}

function fullPerson(row: Record<string, string>): Person {
  return {
    ...preventPerson(row),
    haemoglobinA1c: Number(row.hba1c),
    urineAlbuminCreatinineRatio: Number(row.uacr),
    // The ZIP code of the first examples has the risks of the deciles 1 to 3.
    socialDeprivationDecile: row.sdi !== undefined ? Number(row.sdi) : row.zip === 'sdi decile 8' ? 8 : 2,
  };
}

function pcePerson(row: Record<string, string>): Person {
  return {
    age: Number(row.age),
    sex: String(row.sex),
    race: String(row.race),
    totalCholesterol: Number(row.total_c),
    hdlCholesterol: Number(row.hdl_c),
    systolicBloodPressure: Number(row.sbp),
    antihypertensiveMedication: Number(row.bp_tx),
    diabetes: Number(row.dm),
    currentSmoker: Number(row.smoking),
  };
}

function kfrePerson(row: Record<string, string>): Person {
  return {
    age: Number(row.age),
    sex: row.male === '1' ? 'male' : 'female',
    estimatedGfr: Number(row.egfr),
    urineAlbuminCreatinineRatio: Number(row.uacr_mg_g),
  };
}

function score2Person(row: Record<string, string>): Person {
  return {
    age: Number(row.age),
    sex: String(row.sex),
    region: String(row.region).toLowerCase().replace(' ', '-'),
    currentSmoker: Number(row.smoker),
    systolicBloodPressure: Number(row.sbp),
    totalCholesterol: Number(row.total_chol_mmol),
    hdlCholesterol: Number(row.hdl_mmol),
    diabetes: Number(row.diabetes),
  };
}

function score2Outcome(age: number): string {
  if (age < 50) return 'cvd-10y-40-49';
  return age < 70 ? 'cvd-10y-50-69' : 'cvd-10y-70-89';
}

const preventOutcomes = ['total_cvd', 'ascvd', 'heart_failure', 'chd', 'stroke'] as const;
const outcomeId = (name: string, years: string): string => `${name.replace('_', '-')}-${years}y`;

describe.runIf(casesPresent)('the shipped models give the published risks', () => {
  test.each([
    ['base', '10', 170],
    ['base', '30', 170],
    ['full', '10', 70],
    ['full', '30', 70],
  ] as const)('PREVENT %s, every row, %s years, within 1e-6', async (model, years, least) => {
    const people = new Map(readCsv('equations/prevent/inputs.csv').map((row) => [row.case_id, fullPerson(row)]));
    const expected = readCsv('equations/prevent/expected.csv').filter(
      (row) => row.model === model && row.horizon_years === years,
    );
    expect(expected.length).toBeGreaterThan(least);
    const found = await risks(
      `prevent-${model}`,
      expected.map((row) => people.get(row.case_id) ?? {}),
    );
    expected.forEach((row, index) => {
      for (const name of preventOutcomes) {
        const difference = Math.abs((found[index]?.[outcomeId(name, years)] ?? Number.NaN) - Number(row[name]));
        expect(difference, `${row.case_id} ${name}`).toBeLessThan(1e-6);
      }
    });
  });

  test.each(['base', 'full'])(
    'PREVENT %s, the worked examples of the paper, to the digits it prints',
    async (model) => {
      const examples = readCsv('equations/prevent/published_examples.csv').filter(
        (row) => row.model === model && row.bmi !== '',
      );
      const found = await risks(`prevent-${model}`, examples.map(fullPerson));
      let compared = 0;
      examples.forEach((row, index) => {
        for (const name of preventOutcomes.filter((outcome) => row[outcome] !== '')) {
          const probability = found[index]?.[outcomeId(name, String(row.horizon_years))] ?? Number.NaN;
          expect(Math.abs(probability - Number(row[name])), `${row.case_id} ${name}`).toBeLessThanOrEqual(0.0005);
          compared++;
        }
      });
      expect(compared).toBeGreaterThanOrEqual(20);
    },
  );

  test('Pooled Cohort Equations 2013, every row, within 2e-5', async () => {
    const rows = readCsv('equations/pce/expected.csv').filter((row) => row.pce_2013 !== '');
    expect(rows.length).toBeGreaterThan(200);
    const found = await risks('pce-2013', rows.map(pcePerson));
    rows.forEach((row, index) => {
      const difference = Math.abs((found[index]?.['ascvd-10y'] ?? Number.NaN) - Number(row.pce_2013));
      expect(difference, row.case_id).toBeLessThan(2e-5);
    });
  });

  test('Pooled Cohort Equations 2013, the worked examples of the guideline', async () => {
    const rows = readCsv('equations/pce/published_and_test_examples.csv').filter((row) =>
      row.case_id?.startsWith('pce-pub-goff-'),
    );
    expect(rows).toHaveLength(4);
    const found = await risks('pce-2013', rows.map(pcePerson));
    rows.forEach((row, index) => {
      expect(((found[index]?.['ascvd-10y'] ?? Number.NaN) * 100).toFixed(1), row.case_id).toBe(
        Number(row.expected_pct).toFixed(1),
      );
    });
  });

  test('Kidney Failure Risk Equation, four variables, every row of both calibrations and horizons, within 2e-6', async () => {
    const rows = readCsv('equations/kfre/expected.csv');
    const found = await risks('kfre-4', rows.map(kfrePerson));
    const compared: Record<string, number> = {};
    rows.forEach((row, index) => {
      const region = row.north_american === '1' ? 'north-america' : 'other-regions';
      const outcome = `kidney-failure-${row.years}y-${region}`;
      const difference = Math.abs((found[index]?.[outcome] ?? Number.NaN) - Number(row.expected_4var));
      expect(difference, row.case_id).toBeLessThan(2e-6);
      compared[outcome] = (compared[outcome] ?? 0) + 1;
    });
    expect(Object.keys(compared).sort()).toEqual(Object.keys(found[0] ?? {}).sort());
    expect(Math.min(...Object.values(compared))).toBeGreaterThan(20);
  });

  test('SCORE2 and SCORE2-OP, every row of the four regions, within 0.051 percentage points and in the band of its age', async () => {
    const rows = readCsv('equations/score2/expected.csv');
    const found = await risks('score2', rows.map(score2Person));
    const { outcomes } = catalog.find('score2').manifest;
    const bandOfClass: Record<string, string> = {
      'Low risk': 'low-to-moderate',
      'Moderate risk': 'high',
      'High risk': 'very-high',
    };
    const compared = new Set<string>();
    rows.forEach((row, index) => {
      const id = score2Outcome(Number(row.age));
      const risk = found[index]?.[id] ?? Number.NaN;
      expect(Math.abs(risk * 100 - Number(row.expected_pct)), row.case_id).toBeLessThan(0.051);
      const levels = outcomes.filter((outcome) => outcome.id === id).flatMap(bandsOf);
      const onLimit = levels.some(({ from }) => Math.abs(from * 100 - Number(row.expected_pct)) < 1e-9);
      const level = levels.find(({ from, below = 2 }) => risk >= from && risk < below);
      // The class of a row is that of its printed percentage, which may be the limit where the risk is below it.
      if (!onLimit) expect(level?.code, row.case_id).toBe(bandOfClass[String(row.expected_class)]);
      compared.add(`${Number(row.age) < 70} ${row.region} ${row.sex}`);
    });
    expect(rows.length).toBeGreaterThan(100);
    expect(compared.size, 'both equations, four regions, two sexes').toBe(16);
  });

  test.each([
    ['prevent-base', 'estimatedGfr'],
    ['kfre-4', 'calculatedGfr'],
  ])('CKD-EPI 2021 as the feature map of %s writes it, every row, within 0.006', (model, feature) => {
    const definition = catalog.find(model).featureMap.features[feature];
    if (definition?.kind !== 'derived') throw new Error(`${feature} is not derived`);
    const { evaluate, reads } = compileExpression(definition.expression);
    expect([...reads].sort()).toEqual(['age', 'creatinine', 'sex']);
    for (const row of readCsv('equations/ckd_epi_2021/expected.csv')) {
      const person: Person = {
        creatinine: Number(row.creatinine_mg_dl),
        age: Number(row.age),
        sex: String(row.sex),
      };
      const gfr = evaluate((feature) => person[feature] ?? Number.NaN);
      expect(Math.abs(gfr - Number(row.expected_kidney_epi)), row.case_id).toBeLessThan(0.006);
    }
  });
});

describe.runIf(casesPresent)('models of others', () => {
  const folders = path.join(casesDir, 'onnx/models');
  const unsupported = casesPresent ? readdirSync(folders).filter((name) => name.startsWith('unsupported_')) : [];

  test.each(unsupported)('%s is refused at load', async (name) => {
    const file = readdirSync(path.join(folders, name)).find((entry) => entry.endsWith('.onnx'));
    const artefact = readFileSync(path.join(folders, name, String(file)));
    const tensor = { name: 'x', type: 'float64', columns: 1 } as const;
    await expect(engine.load({ key: name, artefact, inputs: [tensor], outputs: [tensor] })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
    });
  });
});
