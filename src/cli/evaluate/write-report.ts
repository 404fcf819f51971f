import { reportHtml } from '../../governance/evaluation/report/report-html.ts';
import type { EvaluationReport } from '../../model-catalog/evaluation-report-schema.ts';
import { openMatrixFile } from '../extract/matrix-file.ts';

/**
 * Writes a report as JSON, and beside it as HTML where `out` is named so. Both have their names only when they are whole.
 * @returns the names of the files. Throws PARAMETER_INVALID for one that exists, without `force`.
 */
export async function writeReport(report: EvaluationReport, out: string, force: boolean): Promise<string[]> {
  const json = out.replace(/\.html$/, '.json');
  const texts: [file: string, text: string][] = [[json, `${JSON.stringify(report, null, 2)}\n`]];
  if (out !== json) texts.push([out, reportHtml(report)]);
  const files = [];
  try {
    for (const [name, text] of texts) {
      const file = await openMatrixFile(name, force);
      files.push(file);
      await file.handle.appendFile(text);
    }
    for (const file of files) await file.commit();
  } catch (error) {
    for (const file of files) await file.discard();
    throw error;
  }
  return texts.map(([file]) => file);
}
