import { IANAZone } from 'luxon';
import { createTask, parse, validateDetailed } from 'node-cron';

const minuteMs = 60_000;
/** Clocks are never put back by more than this. */
const longestRepeatMs = 3 * 60 * minuteMs;

/** When a schedule is due, by the clock on the wall of its time zone. */
export interface Cron {
  /** @param atMs an instant at the start of a minute, epoch milliseconds */
  isDue(atMs: number): boolean;
}

/** What is wrong with a pattern of five fields, or undefined. */
export function cronProblem(pattern: string): string | undefined {
  const fields = pattern.trim().split(/\s+/).length;
  if (fields !== 5) return `it has ${fields} ${fields === 1 ? 'field' : 'fields'}`;
  const { valid, errors } = validateDetailed(pattern);
  return valid ? undefined : errors.map(({ message }) => message).join('; ');
}

/** True for a place with rules for its clock; an offset is none. */
export function isTimeZone(name: string): boolean {
  return /^[A-Z]/i.test(name) && IANAZone.isValidZone(name);
}

/**
 * Due times through changes of daylight saving, as cron has them: a time of day that the clock skips is due at the first
 * instant after the gap, one that it shows twice is due the first time only. Where the hour is `*`, time goes on evenly:
 * such a pattern is due each time the clock shows it.
 * @param pattern for which `cronProblem` has none
 */
export function compileCron(pattern: string, timeZone: string): Cron {
  // The wall clock's time is matched as if it were UTC: a time that the zone skips has no instant of its own.
  const task = createTask(pattern, () => undefined, { timezone: 'UTC' });
  const { minute: minutes, hour: hours } = parse(pattern);
  const matchesWall = (wallMs: number): boolean => {
    const minuteOfDay = Math.floor(wallMs / minuteMs) % 1440;
    if (!minutes.includes(minuteOfDay % 60) || !hours.includes(Math.floor(minuteOfDay / 60))) return false;
    return task.match(new Date(wallMs));
  };
  const offsetMs = offsetsOf(timeZone);
  const [, hour = ''] = pattern.trim().split(/\s+/);
  const evenly = hour === '*';
  const isRepeat = (atMs: number, offset: number): boolean => {
    const putBackMs = offsetMs(atMs - longestRepeatMs) - offset;
    return putBackMs > 0 && offsetMs(atMs - putBackMs) === offset + putBackMs;
  };
  const wasSkipped = (atMs: number, offset: number): boolean => {
    const before = offsetMs(atMs - minuteMs);
    for (let wallMs = atMs + before; wallMs < atMs + offset; wallMs += minuteMs) if (matchesWall(wallMs)) return true;
    return false;
  };
  return {
    isDue(atMs) {
      const offset = offsetMs(atMs);
      if (evenly) return matchesWall(atMs + offset);
      return wasSkipped(atMs, offset) || (matchesWall(atMs + offset) && !isRepeat(atMs, offset));
    },
  };
}

/** Offsets of a zone from UTC. They change at quarters of an hour only, so that one answers for all instants of one. */
function offsetsOf(timeZone: string): (atMs: number) => number {
  const zone = IANAZone.create(timeZone);
  const known = new Map<number, number>();
  return (atMs) => {
    const quarter = Math.floor(atMs / (15 * minuteMs));
    const found = known.get(quarter);
    if (found !== undefined) return found;
    if (known.size > 64) known.clear();
    const offset = zone.offset(atMs) * minuteMs;
    known.set(quarter, offset);
    return offset;
  };
}

/** The due instants after `after` and up to `upTo`, the latest first. Lets others work in between. */
export async function* dueInstants(cron: Cron, after: Date, upTo: Date): AsyncGenerator<Date> {
  let looked = 0;
  for (let atMs = Math.floor(upTo.getTime() / minuteMs) * minuteMs; atMs > after.getTime(); atMs -= minuteMs) {
    if (cron.isDue(atMs)) yield new Date(atMs);
    looked += 1;
    if (looked % 200 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}
