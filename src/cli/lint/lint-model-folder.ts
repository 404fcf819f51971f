import path from 'node:path';
import { compileFeatureMap } from '../../features/compile-feature-map.ts';
import type { Finding } from '../../model-catalog/finding.ts';
import { type InspectedModel, inspectModelFolder } from '../../model-catalog/inspect-model-folder.ts';
import { jsonErrorPlace } from '../../model-catalog/lint/json-error-place.ts';
import type { LintFinding } from '../../model-catalog/lint/lint-rule.ts';
import { lintRules, lintSite } from '../../model-catalog/lint/lint-rules.ts';
import type { LintedModel } from '../../model-catalog/lint/linted-model.ts';
import { inspectSiteFile } from '../../model-catalog/read-site-file.ts';
import { systemClock } from '../../platform/clock.ts';
import { siteDay } from '../../platform/site-day.ts';

/** What lint says about one version folder. */
export interface LintReport {
  /** `<id>/<version>`, as the folders are named. */
  readonly model: string;
  readonly findings: readonly LintFinding[];
}

/**
 * Checks one version folder whole: what load checks, the lint rules, and, where it can be run, the model itself.
 * @param siteFile local codes and units that the model is read with; checked too
 * @param today `YYYY-MM-DD`: what was due before is overdue
 * Throws CONFIG_INVALID where there is no such file.
 */
export async function lintModelFolder(
  dir: string,
  siteFile?: string,
  today: string = siteDay(systemClock.now(), 'UTC'),
): Promise<LintReport> {
  const { site, findings: ofSite } = siteFile === undefined ? { findings: [] } : await inspectSiteFile(siteFile);
  let inspected: InspectedModel;
  try {
    inspected = await inspectModelFolder(dir, ofSite.length === 0 ? site : undefined);
  } catch (error) {
    return { model: dir, findings: [unreadable(dir, error)] };
  }
  const atLoad = inspected.stages.flat().map((finding) => asLoad(withPlace(finding, inspected.files)));
  const findings = [...ofSite.map(asLoad), ...atLoad, ...lintRules(inspected, today)];
  if (site !== undefined) findings.push(...lintSite(site, inspected));
  findings.push(...compiles(inspected, findings));
  const runnable = runnableModel(inspected, atLoad);
  if (runnable !== undefined) {
    // Only here: the engine takes long to load, and a folder that is not whole has nothing to run.
    const { lintWithEngine } = await import('./lint-with-engine.ts');
    findings.push(...(await lintWithEngine(runnable)));
  }
  return { model: inspected.name, findings };
}

/** What the operating system refuses to read, as a finding. */
function unreadable(dir: string, error: unknown): LintFinding {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
  const file = 'path' in error ? path.relative(dir, String(error.path)) : '';
  const message = `cannot be read (${error.code}); make it a plain file or folder that this user may read`;
  return asLoad({ file: file === '' ? '.' : file, path: '', message });
}

function asLoad(finding: Finding): LintFinding {
  return { ...finding, rule: 'load', severity: 'error' };
}

/** A JSON error with its line and column, which the parser of JavaScript does not always give. */
function withPlace(finding: Finding, files: InspectedModel['files']): Finding {
  if (!finding.message.startsWith('is not JSON') || / line \d/.test(finding.message)) return finding;
  const place = jsonErrorPlace(new TextDecoder().decode(files.get(finding.file)));
  if (place === undefined) return finding;
  return { ...finding, message: `${finding.message} (line ${place.line} column ${place.column})` };
}

/** What only compiling the features shows; where the map has errors that name their place, these are enough. */
function compiles({ featureMap, lookups }: InspectedModel, findings: readonly LintFinding[]): LintFinding[] {
  const known = findings.some(
    ({ file, path, severity }) =>
      severity === 'error' && ((file === 'feature-map.json' && path !== '') || file.startsWith('tables/')),
  );
  if (featureMap === undefined || known) return [];
  try {
    compileFeatureMap(featureMap, lookups);
    return [];
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    return [asLoad({ file: 'feature-map.json', path: '', message: error.message })];
  }
}

/** The model, where all that it takes to run it is right; a wrong checksum of another file does not matter for that. */
function runnableModel(
  { manifest, featureMap, golden, files }: InspectedModel,
  atLoad: readonly Finding[],
): (LintedModel & { readonly artefact: Uint8Array }) | undefined {
  const artefact = files.get('model.onnx');
  const read = golden.flatMap(({ file, content }) => (content === undefined ? [] : [{ file, content }]));
  const isWrong = atLoad.some(
    ({ file, path }) => file === 'model.onnx' || (path !== '' && path !== '/checksums' && file !== 'model-card.json'),
  );
  if (manifest === undefined || featureMap === undefined || artefact === undefined) return undefined;
  if (isWrong || read.length < golden.length) return undefined;
  return { manifest, featureMap, golden: read, artefact };
}
