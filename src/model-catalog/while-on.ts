import type { Catalog } from './catalog.ts';
import type { LoadedVersion } from './model-version.ts';

/**
 * Work of a version that gives nothing while its kill switch is thrown, neither what is begun then nor what was under way:
 * a call may read for long, and wait for long to be run. Rejects with MODEL_DISABLED.
 */
export function whileOn<Asked extends readonly unknown[], Answer>(
  catalog: Pick<Catalog, 'refusalOf'>,
  version: LoadedVersion,
  work: (...asked: Asked) => Promise<Answer>,
): (...asked: Asked) => Promise<Answer> {
  const refuseOff = (): void => {
    const refusal = catalog.refusalOf(version);
    if (refusal !== undefined) throw refusal;
  };
  return async (...asked) => {
    refuseOff();
    const answer = await work(...asked);
    refuseOff();
    return answer;
  };
}
