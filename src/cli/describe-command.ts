import { parseArgs } from 'node:util';
import { findOutput, outputNames, outputText } from '../model-catalog/model-outputs.ts';
import { readModelFolder } from '../model-catalog/read-models.ts';
import { readSiteFile } from '../model-catalog/read-site-file.ts';
import { readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { modelsFolder } from '../wire-models.ts';
import { findModelFolder } from './lint/find-model-folder.ts';

/** `fhirsight describe`: what is made from the feature map of a model, or of several, on standard output. @returns 0 */
export async function describeCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { as: { type: 'string' }, version: { type: 'string' } },
  });
  const output = findOutput(values.as ?? '');
  if (output === undefined) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      `describe needs --as, one of ${outputNames.join(', ')}, for example: fhirsight describe prevent-base --as scopes`,
    );
  }
  if (positionals.length === 0 || (positionals.length > 1 && !output.joins)) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      `describe --as ${values.as} takes ${output.joins ? 'a model, or several' : 'one model'}.`,
    );
  }
  if (positionals.length > 1 && values.version !== undefined)
    throw new PredictionError('PARAMETER_INVALID', '--version is for one model; name several by their folders.');
  const config = readConfigFromProcess();
  // With the local codes, as the server reads them: what is asked for without them would find less.
  const site = await readSiteFile(config.siteFile);
  const versions = await Promise.all(
    positionals.map(async (model) => {
      const folder = await findModelFolder(model, values.version, async () => modelsFolder(config.modelsDir));
      return await readModelFolder(folder, site);
    }),
  );
  process.stdout.write(outputText(output, versions, config.optOutBy));
  return 0;
}
