import type { Finding } from './finding.ts';
import { type GoldenModel, goldenRow } from './golden-cases.ts';
import { missingInput } from './missing-input.ts';
import type { ModelRow, RunRows } from './model-row.ts';
import { inputColumns } from './model-tensors.ts';
import { readScore } from './outcome-score.ts';

/**
 * Whether a model whose map gives it NaN has an answer to that: each such feature alone, and all together, are put to NaN
 * in every golden case. A finding where an outcome has no score that it can have, or where the engine refuses to give one.
 */
export async function probeNaN(model: GoldenModel, run: RunRows): Promise<Finding[]> {
  const { manifest, featureMap, goldenCases } = model;
  const features = [...new Set(inputColumns(manifest).map(({ feature }) => feature))].filter(
    (name) => missingInput(featureMap.features[name])?.as === 'nan',
  );
  const probes = [...features.map((name) => [name]), ...(features.length > 1 ? [features] : [])];
  const findings: Finding[] = [];
  for (const names of probes) {
    const rows = goldenCases.map(({ inputs, ...golden }) => {
      const without = Object.fromEntries(names.map((name) => [name, null]));
      return goldenRow({ ...golden, inputs: { ...inputs, ...without } }, manifest, featureMap);
    });
    const failure = await failureOf(rows, manifest.outcomes, run);
    if (failure !== undefined)
      findings.push({
        file: 'model.onnx',
        path: '',
        message: `gives no score where ${names.join(', ')} is NaN (${failure}); the map says that it takes NaN`,
      });
  }
  return findings;
}

async function failureOf(
  rows: readonly ModelRow[],
  outcomes: GoldenModel['manifest']['outcomes'],
  run: RunRows,
): Promise<string | undefined> {
  let outputs: number[][];
  try {
    outputs = await run(rows);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message.replace(/\.$/, '');
  }
  const misfits = outputs.flatMap((output) =>
    outcomes.flatMap((outcome) => {
      const score = readScore(outcome, output);
      return typeof score === 'number' ? [] : [`an answer for ${outcome.id} that is ${score}`];
    }),
  );
  return misfits[0];
}
