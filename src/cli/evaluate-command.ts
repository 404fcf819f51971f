import { readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { parseEvaluateOptions } from './evaluate/evaluate-options.ts';
import { openMatrixFile } from './extract/matrix-file.ts';

/** `fhirsight evaluate`: how well a model does on rows whose truth is known. @returns 0 with a report, 1 where a row failed */
export async function evaluateCommand(args: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void =>
    stop.abort(new PredictionError('SHUTTING_DOWN', 'The evaluation was stopped. No report was written.'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
  try {
    const options = await parseEvaluateOptions(args, () => readConfigFromProcess().siteTimeZone);
    const config = readConfigFromProcess();
    // What cannot be written is said before hours of work.
    for (const file of new Set([options.out, options.out.replace(/\.html$/, '.json')]))
      await (await openMatrixFile(file, options.force)).discard();
    // Only here: a slip of the pen waits for no engine to be loaded.
    const [{ evaluate }, { writeReport }, { reportSummary }] = await Promise.all([
      import('./evaluate/evaluate.ts'),
      import('./evaluate/write-report.ts'),
      import('./evaluate/report-summary.ts'),
    ]);
    const report = await evaluate(config, options, stop.signal);
    const files = await writeReport(report, options.out, options.force);
    process.stderr.write(reportSummary(report, files));
    return report.rows.failed > 0 ? 1 : 0;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, onSignal);
  }
}
