import type { EngineReport } from '../model-catalog/engine-report.ts';
import type { Provider } from './model-session.ts';
import { runsAsServed } from './trial/time-runs.ts';
import type { Trial } from './trial/try-model.ts';

/** What a graph may take, in milliseconds, to be opened and run in the main thread: nobody waits there for longer. */
const inlineLimits = { openMs: 50, rowMs: 0.5, batchMs: 5 } as const;

/**
 * Where a graph is run. What is small runs in the main thread, where a run costs least; what would keep others waiting, in a
 * thread; what is not trusted, or runs on a GPU, whose drivers can take a process down, in a process.
 */
export function choosePlace(
  trial: Pick<Trial, 'openMs' | 'inputs' | 'freeRows' | 'runs' | 'batches'>,
  { provider, isolated }: { readonly provider: Provider; readonly isolated: boolean },
): Pick<EngineReport, 'place' | 'because'> {
  if (provider !== 'cpu')
    return { place: 'process', because: `It runs on ${provider}, whose driver could take the server down.` };
  if (isolated) return { place: 'process', because: 'The site does not trust it.' };
  const runs = runsAsServed(trial.runs, trial.batches);
  const [one] = runs;
  const batch = runs.at(-1);
  if (one === undefined || batch === undefined)
    return { place: 'thread', because: 'How long it takes could not be measured without samples.' };
  if (!hasKnownSizes(trial))
    return { place: 'thread', because: 'How long it takes depends on sizes that the graph leaves free.' };
  const measured = `Opening it takes ${round(trial.openMs)} ms, one row${one.rows === 1 ? '' : `, filled up to ${one.rows},`} ${round(one.ms)} ms, ${batch.rows} rows ${round(batch.ms)} ms`;
  const limits = `the main thread gives ${inlineLimits.openMs} ms, ${inlineLimits.rowMs} ms and ${inlineLimits.batchMs} ms`;
  const isSmall =
    trial.openMs <= inlineLimits.openMs &&
    one.ms <= inlineLimits.rowMs &&
    // Where larger batches were not timed they would have taken too long.
    (batch.rows > 1 || !trial.freeRows) &&
    batch.ms <= inlineLimits.batchMs;
  return { place: isSmall ? 'inline' : 'thread', because: `${measured}; ${limits}.` };
}

/** True where nothing but the number of rows can be other than it was when the graph was timed. */
function hasKnownSizes({ inputs, freeRows }: Pick<Trial, 'inputs' | 'freeRows'>): boolean {
  return inputs.every(({ shape }) => shape.every((size, index) => size !== null || (freeRows && index === 0)));
}

/** Two significant digits. */
function round(ms: number): number {
  return Number(ms.toPrecision(2));
}
