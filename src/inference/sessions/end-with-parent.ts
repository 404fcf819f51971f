import { Worker } from 'node:worker_threads';

/**
 * Ends this process when its parent is gone, also in the middle of a run that never ends and hears of nothing. Without limits
 * of its own the thread that watches would count for half a gigabyte of what the process may fill.
 */
export function endWithParent(): void {
  const watch = `setInterval(() => { if (process.ppid !== ${process.ppid}) process.kill(process.pid, 'SIGKILL'); }, 1_000);`;
  const resourceLimits = {
    maxOldGenerationSizeMb: 16,
    maxYoungGenerationSizeMb: 4,
    codeRangeSizeMb: 8,
    stackSizeMb: 1,
  };
  new Worker(watch, { eval: true, execArgv: [], resourceLimits }).unref();
}
