import { readFileSync } from 'node:fs';

/** Of a second, on Linux. */
const ticks = 100;

/** Milliseconds of CPU that a process has used so far, all its threads together (`/proc`, so on Linux only). */
export function cpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program stands in parentheses and may hold blanks.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return ((user + system) * 1_000) / ticks;
}
