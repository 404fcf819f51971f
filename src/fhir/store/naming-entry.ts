import { PredictionError } from '../../platform/errors.ts';

/** Says in which entry it was that something failed. */
export async function namingEntry<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PredictionError)) throw error;
    const at = `Bundle.entry[${index}]`;
    const issues = error.issues.length > 0 ? error.issues : [{ message: error.message }];
    const named = issues.map((issue) => ({
      ...issue,
      expression: issue.expression?.startsWith(at) ? issue.expression : at,
    }));
    throw new PredictionError(error.code, `${at}: ${error.message}`, { issues: named, cause: error });
  }
}
