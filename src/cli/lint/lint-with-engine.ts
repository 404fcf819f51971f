import { createOnnxEngine } from '../../inference/onnx-engine.ts';
import type { LintFinding } from '../../model-catalog/lint/lint-rule.ts';
import type { LintedModel } from '../../model-catalog/lint/linted-model.ts';
import { testVersion } from '../../model-catalog/registration/test-version.ts';
import { PredictionError } from '../../platform/errors.ts';
import { collectedRegistration } from './collected-registration.ts';

/** More than at load: nobody waits for a server. */
const budget = { ms: 20_000, mostRows: 50_000 } as const;

/** Loads and tests the artefact as load does, but goes on after a check that failed. */
export async function lintWithEngine(model: LintedModel & { readonly artefact: Uint8Array }): Promise<LintFinding[]> {
  const { manifest, featureMap, golden, artefact } = model;
  const key = `${manifest.id}@${manifest.version}`;
  const goldenCases = golden.flatMap(({ content }) => content.cases);
  const engine = createOnnxEngine({ triesApart: true });
  const found: LintFinding[] = [];
  try {
    const loaded = await testVersion(
      { key, artefact, manifest, featureMap, goldenCases },
      engine,
      collectedRegistration(found),
      budget,
    );
    await loaded.release();
  } catch (error) {
    if (!(error instanceof PredictionError)) throw error;
    found.push({
      file: 'model.onnx',
      path: '',
      message: withoutKey(error.message, key),
      rule: 'load',
      severity: 'error',
    });
  } finally {
    await engine.close();
  }
  return found;
}

/** The engine names model and file in its messages, as lint does before each of them. */
function withoutKey(message: string, key: string): string {
  const reason = message.replace(`Model ${key} is refused: `, '').replace(`${key}: `, '').replace(`${key} `, '');
  return reason.replace(/^model\.onnx:? /, '').replace(/\.$/, '');
}
