import { type GoldenModel, runGoldenCases } from '../golden-cases.ts';
import { missingInput } from '../missing-input.ts';
import type { RunRows } from '../model-row.ts';
import { inputColumns } from '../model-tensors.ts';
import { probeNaN } from '../probe-nan.ts';
import { probeExtremes } from './probe-extremes.ts';
import { probeImages } from './probe-images.ts';
import { probeTexts } from './probe-texts.ts';
import type { Registration } from './registration.ts';
import { tryDirections } from './try-directions.ts';

/** How much is run for one check. */
export interface ProofBudget {
  /** About how long its rows may take, in milliseconds. */
  readonly ms: number;
  /** A quick model is run with no more rows. */
  readonly mostRows: number;
}

/** However slow the model is. */
const fewestRows = 50;

/** The checks that run the model: in a process of its own, before it may be opened where it serves. */
export async function proveVersion(
  model: GoldenModel,
  run: RunRows,
  registration: Pick<Registration, 'check'>,
  budget: ProofBudget,
): Promise<void> {
  const { goldenCases, manifest, featureMap } = model;
  const startedMs = performance.now();
  await registration.check('golden-cases', async () => ({
    tested: 'golden cases',
    count: goldenCases.length,
    findings: await runGoldenCases(model, run),
  }));
  const rowMs = (performance.now() - startedMs) / goldenCases.length;
  const mostRows = Math.min(budget.mostRows, Math.max(fewestRows, Math.floor(budget.ms / rowMs)));
  const features = new Set(inputColumns(manifest).map(({ feature }) => feature));
  const withNaN = [...features].filter((name) => missingInput(featureMap.features[name])?.as === 'nan');
  await registration.check('nan', async () => ({
    tested: 'features that are NaN where they are missing, each in every golden case',
    count: withNaN.length,
    findings: await probeNaN(model, run),
  }));
  await registration.check('extremes', () => probeExtremes(model, run, mostRows));
  await registration.check('texts', () => probeTexts(model, run));
  await registration.check('images', () => probeImages(model, run));
  await registration.check('directions', async () => {
    const { rows, findings } = await tryDirections(model, run, mostRows);
    const of = (verdict: 'broken' | 'unchecked') => findings.filter((each) => each.verdict === verdict);
    return {
      tested: 'rows along declared directions',
      count: rows,
      notes: of('unchecked').map(({ path, message }) => ({ file: 'manifest.json', path, message })),
      findings: of('broken').map(({ path, message }) => ({ file: 'manifest.json', path, message })),
    };
  });
}
