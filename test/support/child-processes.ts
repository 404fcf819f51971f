import { readFileSync } from 'node:fs';

/** The processes that this one has started and that have not ended. */
export function children(): number[] {
  const ids = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim();
  return ids === '' ? [] : ids.split(' ').map(Number);
}

/** What Linux tells of a process; empty for one that is no more. */
function told(pid: number, file: 'status' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** False for one that has ended, also where nobody has asked how. */
export function isAlive(pid: number): boolean {
  const status = told(pid, 'status');
  return status !== '' && !/^State:\s+[ZX]/m.test(status);
}

const ticksPerSecond = 100;

/** How long a process has kept processors busy; 0 for one that is no more. @see proc_pid_stat(5), utime and stime */
export function processorSeconds(pid: number): number {
  const fields = (told(pid, 'stat').split(') ')[1] ?? '').split(' ').map(Number);
  return ((fields[11] ?? 0) + (fields[12] ?? 0)) / ticksPerSecond;
}
