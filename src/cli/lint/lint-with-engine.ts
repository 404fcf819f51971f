import type { LoadedModel } from '../../inference/inference-engine.ts';
import { createOnnxEngine } from '../../inference/onnx-engine.ts';
import { goldenRow, runGoldenCases } from '../../model-catalog/golden-cases.ts';
import type { LintFinding } from '../../model-catalog/lint/lint-rule.ts';
import type { LintedModel } from '../../model-catalog/lint/linted-model.ts';
import { engineForms } from '../../model-catalog/model-tensors.ts';
import { probeNaN } from '../../model-catalog/probe-nan.ts';
import { PredictionError } from '../../platform/errors.ts';
import { checkDirections } from './check-directions.ts';

/** Loads the artefact, runs the golden cases as load does, and then tries the declared directions. */
export async function lintWithEngine(model: LintedModel & { readonly artefact: Uint8Array }): Promise<LintFinding[]> {
  const { manifest, featureMap, golden, artefact } = model;
  const key = `${manifest.id}@${manifest.version}`;
  const engine = createOnnxEngine({ triesApart: true });
  try {
    const loaded: LoadedModel = await engine.load({
      key,
      artefact,
      ...engineForms(manifest),
      samples: golden.flatMap(({ content }) => content.cases).map((each) => goldenRow(each, manifest, featureMap)),
    });
    const tried = { manifest, featureMap, goldenCases: golden.flatMap(({ content }) => content.cases) };
    const failed = await runGoldenCases(tried, (rows) => loaded.run(rows));
    failed.push(...(await probeNaN(tried, (rows) => loaded.run(rows))));
    const directions = await checkDirections(model, (rows) => loaded.run(rows));
    return [...failed.map((finding) => ({ ...finding, rule: 'load', severity: 'error' as const })), ...directions];
  } catch (error) {
    if (!(error instanceof PredictionError)) throw error;
    return [{ file: 'model.onnx', path: '', message: withoutKey(error.message, key), rule: 'load', severity: 'error' }];
  } finally {
    await engine.close();
  }
}

/** The engine names model and file in its messages, as lint does before each of them. */
function withoutKey(message: string, key: string): string {
  const reason = message.replace(`Model ${key} is refused: `, '').replace(`${key}: `, '').replace(`${key} `, '');
  return reason.replace(/^model\.onnx:? /, '').replace(/\.$/, '');
}
