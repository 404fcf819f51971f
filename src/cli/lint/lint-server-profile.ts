import { categoriesOf, readDeclaredServer } from '../../fhir/client/read-declared-server.ts';
import { inspectModelFolder } from '../../model-catalog/inspect-model-folder.ts';
import type { LintFinding } from '../../model-catalog/lint/lint-rule.ts';
import { inspectSiteFile } from '../../model-catalog/read-site-file.ts';
import { recordQueries } from '../../model-catalog/record-queries.ts';
import { checkSiteQueries } from '../../model-catalog/site-queries.ts';
import { gatheredMap } from '../../model-catalog/used-models.ts';
import { readConfigFromProcess } from '../../platform/config.ts';
import { PredictionError } from '../../platform/errors.ts';

/**
 * What is wrong with the searches that a site has put in the place of those of one model version.
 * @param siteFile local codes that the searches must find too
 */
export async function lintServerProfile(folder: string, file: string, siteFile?: string): Promise<LintFinding[]> {
  const codes = siteFile === undefined ? undefined : await inspectSiteFile(siteFile);
  const { manifest, featureMap, uses } = await inspectModelFolder(
    folder,
    codes?.findings.length === 0 ? codes.site : undefined,
  );
  // What is wrong with the folder or the site file itself is said already.
  if (manifest === undefined || featureMap === undefined) return [];
  const finding = (path: string, message: string): LintFinding => ({
    file,
    path,
    message,
    rule: 'server-profile',
    severity: 'error',
  });
  try {
    const declared = await readDeclaredServer(file);
    const queries = recordQueries(gatheredMap(featureMap, uses), new Date(0), readConfigFromProcess().optOutBy);
    const site = declared.queries?.[manifest.id] ?? {};
    return checkSiteQueries(queries, site, categoriesOf(declared)).map(({ key, message }) =>
      finding(`/queries/${manifest.id}/${key}`, message),
    );
  } catch (error) {
    if (!(error instanceof PredictionError) || error.code !== 'CONFIG_INVALID') throw error;
    return error.issues.map(({ message }) => finding('', message));
  }
}
