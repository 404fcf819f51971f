import type { LoggedError } from './events.ts';

/** What is logged of work behind the calls: cohort runs, schedules, studies that were told of, and operations that are answered later. */
export type RunEvent =
  | { readonly name: 'run.created'; readonly run: string; readonly model: string; readonly schedule?: string }
  | { readonly name: 'run.started'; readonly run: string; readonly members: number }
  | {
      readonly name: 'run.finished';
      readonly run: string;
      readonly scored: number;
      readonly abstained: number;
      readonly failed: number;
    }
  | { readonly name: 'run.cancelled'; readonly run: string }
  | { readonly name: 'run.resumed'; readonly run: string }
  | { readonly name: 'run.failed'; readonly run: string; readonly error: LoggedError }
  | { readonly name: 'run.postponed'; readonly run: string; readonly attempts: number; readonly error: LoggedError }
  /** Studies that were incomplete or away for too long: no run of the schedule takes them again until they change. */
  | { readonly name: 'run.given-up'; readonly run: string; readonly members: number }
  | { readonly name: 'run.taken-over'; readonly jobs: number }
  | { readonly name: 'study-notice.received'; readonly subscription: string; readonly studies: number }
  | { readonly name: 'study-notice.refused'; readonly subscription: string }
  | {
      readonly name: 'study-notice.worked';
      readonly subscription: string;
      readonly model: string;
      readonly state: 'scored' | 'abstained' | 'incomplete' | 'unchanged' | 'no-study';
      readonly durationMs: number;
    }
  | {
      /** A study that was told of could not be predicted about: it is tried again, or given up. */
      readonly name: 'study-notice.postponed' | 'study-notice.given-up';
      readonly subscription: string;
      readonly model: string;
      readonly attempts: number;
      readonly error: LoggedError;
    }
  | { readonly name: 'study-notice.checked'; readonly subscription: string; readonly studies: number }
  | { readonly name: 'study-notice.check-failed'; readonly subscription: string; readonly error: LoggedError }
  | { readonly name: 'operation-job.created' }
  | { readonly name: 'operation-job.finished'; readonly waitedMs: number; readonly durationMs: number }
  | { readonly name: 'operation-job.cancelled' }
  | { readonly name: 'operation-job.postponed'; readonly attempts: number; readonly error: LoggedError }
  | { readonly name: 'operation-job.taken-over'; readonly jobs: number }
  | { readonly name: 'schedule.fired'; readonly schedule: string; readonly run: string; readonly dueAt: string }
  | {
      readonly name: 'schedule.missed';
      readonly schedule: string;
      readonly dueAt: string;
      readonly handled: 'skip' | 'once';
    }
  | {
      readonly name: 'schedule.look-ahead';
      readonly schedule: string;
      /** In the future: kept while a clock was wrong. Due times are counted from now instead. */
      readonly lookedAt: string;
    }
  | { readonly name: 'schedule.failed'; readonly schedule: string; readonly error: LoggedError };
