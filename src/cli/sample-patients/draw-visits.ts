import { clamped } from './clamped.ts';
import type { Person } from './draw-person.ts';
import type { RandomStream } from './random-stream.ts';
import { dayMs, hourMs, minuteMs, startOfDay } from './sample-time.ts';

export type VisitKind = 'check-up' | 'follow-up' | 'remote' | 'emergency' | 'admission';

/** One contact with the site; vitals and laboratory results hang on it. */
export interface Visit {
  readonly encounterId: string;
  readonly kind: VisitKind;
  readonly startMs: number;
  /** Absent while it lasts. */
  readonly endMs?: number;
  readonly vitals: boolean;
  readonly laboratory: boolean;
}

/** The visits of some years, oldest first; all end before `person.lastMs`, but for an admission in progress. */
export function drawVisits(person: Person, random: RandomStream): Visit[] {
  const showcase = person.situations.has('showcase');
  const yearsOfHistory = clamped(showcase ? 5 : random.between(2, 4.3), 1, person.ageYears - 16);
  const daysSinceLast = person.situations.has('no-recent-encounter')
    ? random.integer(800, 1400)
    : random.integer(10, 150);
  const daysToFirst = daysSinceLast + yearsOfHistory * 365;

  const newestFirst: Omit<Visit, 'encounterId'>[] = [];
  if (person.situations.has('in-hospital')) newestFirst.push(admissionInProgress(person));
  let checkUps = 0;
  for (let daysBack = daysSinceLast; daysBack <= daysToFirst; daysBack += random.integer(150, 330)) {
    const kind = checkUps === 0 || showcase ? 'check-up' : drawKind(random);
    const startMs = officeHour(person, daysBack, random);
    const vitals = kind !== 'remote';
    if (kind === 'check-up') checkUps++;
    newestFirst.push({
      kind,
      startMs,
      endMs: startMs + random.integer(2, 6) * 10 * minuteMs,
      vitals,
      laboratory: kind === 'check-up' && checkUps % 2 === 1,
    });
  }
  return newestFirst.reverse().map((visit, index) => ({ encounterId: `${person.id}-enc-${index + 1}`, ...visit }));
}

function drawKind(random: RandomStream): VisitKind {
  const kind = random.uniform();
  if (kind < 0.66) return 'check-up';
  if (kind < 0.82) return 'follow-up';
  return kind < 0.92 ? 'remote' : 'emergency';
}

/** Between 8:00 and 16:45 local time on that day. */
function officeHour(person: Person, daysBack: number, random: RandomStream): number {
  const localMidnight = startOfDay(person.lastMs) - Math.round(daysBack) * dayMs - person.offsetMinutes * minuteMs;
  return localMidnight + 8 * hourMs + random.integer(0, 35) * 15 * minuteMs;
}

function admissionInProgress(person: Person): Omit<Visit, 'encounterId'> {
  return { kind: 'admission', startMs: person.lastMs - 20 * hourMs, vitals: false, laboratory: false };
}
