import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/cli/evaluate/evaluate.ts';
import { parseEvaluateOptions } from '../../src/cli/evaluate/evaluate-options.ts';
import type { Figure } from '../../src/governance/evaluation/figure.ts';
import type { EvaluationReport } from '../../src/model-catalog/evaluation-report-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import type { ModelCard } from '../../src/model-catalog/model-card-schema.ts';
import { readConfig } from '../../src/platform/config.ts';
import { shippedModels } from '../support/model-folder.ts';

type Measure = ModelCard['performance'][number];

/** The shipped models that keep the rows, with what the model was given, on which their card says how well they do. */
const evaluated = readdirSync(shippedModels).flatMap((id) =>
  readdirSync(path.join(shippedModels, id)).flatMap((version) => {
    const matrix = path.join(shippedModels, id, version, 'training/test-matrix.csv');
    if (!existsSync(matrix) || !/^[^\n]*,x\.0\./.test(readFileSync(matrix, 'utf8'))) return [];
    const stated = statedFigures(id, version);
    return stated.length === 0 ? [] : [{ id, version, matrix, stated }];
  }),
);

/** What a card says of its test rows, but for how well a measurement tells events apart, which it is not made for. */
function statedFigures(id: string, version: string): Measure[] {
  const manifest: Manifest = JSON.parse(readFileSync(path.join(shippedModels, id, version, 'manifest.json'), 'utf8'));
  const kindOf = (outcome: string | undefined): string | undefined =>
    manifest.outcomes.find((one) => one.id === outcome)?.kind;
  return cardOf(id, version).performance.filter(
    ({ setting, outcome, measure }) =>
      setting === 'internal-test' &&
      !(kindOf(outcome) === 'measurement' && ['auroc', 'average-precision'].includes(measure)),
  );
}

function cardOf(id: string, version: string): ModelCard {
  return JSON.parse(readFileSync(path.join(shippedModels, id, version, 'model-card.json'), 'utf8'));
}

/** The figure of a report that a card names. */
function figureOf(
  { measures, thresholds = [] }: EvaluationReport,
  { measure, threshold }: Measure,
): Figure | undefined {
  if (threshold === undefined) return measures[measure];
  const row = thresholds.find((one) => one.threshold === threshold);
  const figures: Readonly<Record<string, Figure | undefined>> = {
    accuracy: row?.accuracy,
    recall: row?.recall,
    specificity: row?.specificity,
    precision: row?.precision,
    f1: row?.f1,
  };
  return figures[measure];
}

describe('the figures in the card of a model that keeps its test rows', () => {
  test('are there for the demonstrations', () => {
    expect(evaluated.length).toBeGreaterThanOrEqual(6);
  });

  test.each(evaluated)(
    'are given again by fhirsight evaluate: $id@$version',
    async ({ id, version, matrix, stated }) => {
      const outcomes = new Set(stated.map(({ outcome }) => outcome ?? ''));
      for (const outcome of outcomes) {
        const args = ['--model', `${id}@${version}`, '--file', matrix, '--label', 'label', '--out', 'unused.json'];
        const named = outcome === '' ? [] : ['--outcome', outcome];
        const asked = [...new Set(stated.flatMap(({ threshold }) => threshold ?? []))];
        const thresholds = asked.flatMap((threshold) => ['--threshold', `${threshold}`]);
        const options = await parseEvaluateOptions(
          [...args, ...named, ...thresholds, '--resamples', '100'],
          () => 'UTC',
        );
        const report = await evaluate(readConfig({ MODELS_DIR: shippedModels }), options, new AbortController().signal);
        expect(report.rows).toMatchObject({ abstained: 0, failed: 0, withoutLabel: 0 });
        expect(report.model.demonstration).toBe(true);
        for (const each of stated.filter((one) => (one.outcome ?? '') === outcome)) {
          const figure = figureOf(report, each);
          if (figure === undefined || !('value' in figure))
            throw new Error(`${each.measure}: ${JSON.stringify(figure)}`);
          expect(each.n, each.measure).toBe(report.rows.evaluated);
          const tolerance = 1e-5 * Math.max(1, Math.abs(figure.value));
          expect(Math.abs(figure.value - Number(each.value)), `${each.measure} ${figure.value}`).toBeLessThan(
            tolerance,
          );
        }
      }
    },
  );
});
