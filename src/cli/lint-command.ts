import { parseArgs } from 'node:util';
import { PredictionError } from '../platform/errors.ts';
import { findModelFolder } from './lint/find-model-folder.ts';
import { countFindings, findingLines, findingsJson, summary } from './lint/show-findings.ts';

/** `fhirsight lint`: every finding about one model version on standard output. @returns 0 without errors (with --strict: without warnings too), 1 with */
export async function lintCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      version: { type: 'string' },
      format: { type: 'string', default: 'text' },
      strict: { type: 'boolean', default: false },
      'server-profile': { type: 'string' },
      site: { type: 'string' },
    },
  });
  const [model, ...more] = positionals;
  if (model === undefined || more.length > 0) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      'lint takes one model, for example: fhirsight lint models/prevent-base/1.0.0',
    );
  }
  if (values.format !== 'text' && values.format !== 'json') {
    throw new PredictionError('PARAMETER_INVALID', `--format is text or json, not '${values.format}'.`);
  }
  const folder = await findModelFolder(model, values.version, modelsDir);
  // Only here: a slip of the pen waits for no schema to be compiled.
  const { lintModelFolder } = await import('./lint/lint-model-folder.ts');
  const linted = await lintModelFolder(folder, values.site);
  const profile = values['server-profile'];
  const { lintServerProfile } = await import('./lint/lint-server-profile.ts');
  const report =
    profile === undefined
      ? linted
      : { ...linted, findings: [...linted.findings, ...(await lintServerProfile(folder, profile, values.site))] };
  process.stdout.write(values.format === 'json' ? findingsJson(report) : findingLines(report));
  process.stderr.write(summary(report));
  const { errors, warnings } = countFindings(report.findings);
  return errors > 0 || (values.strict && warnings > 0) ? 1 : 0;
}

/** MODELS_DIR; the settings are read only for a model that is named by its id. */
async function modelsDir(): Promise<string> {
  const [{ readConfigFromProcess }, { modelsFolder }] = await Promise.all([
    import('../platform/config.ts'),
    import('../wire-models.ts'),
  ]);
  return modelsFolder(readConfigFromProcess().modelsDir);
}
