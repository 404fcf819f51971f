import type { Clock } from '../../platform/clock.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { EngineReport } from '../engine-report.ts';
import { type Finding, findingText, modelInvalid } from '../finding.ts';
import type { GraphFacts } from './graph-facts.ts';
import type { CheckId, CheckReport, RegistrationReport } from './registration-report.ts';

/** What came of one check. */
export interface Checked {
  /** What was tested, and how many of these; none: there was nothing to test. */
  readonly tested: string;
  readonly count: number;
  /** What does not refuse the version, and its author should know. */
  readonly notes?: readonly Finding[];
  /** Each refuses the version. */
  readonly findings?: readonly Finding[];
}

/** The tests of one version folder as they go on. */
export interface Registration {
  /** Makes one check, and keeps what came of it. Throws MODEL_INVALID with its findings, and what the work throws. */
  check<Found extends Checked>(id: CheckId, work: () => Found | Promise<Found>): Promise<Found>;
  /** What is known by now of the version; shown in the report. */
  know(facts: { readonly digest?: string; readonly graph?: GraphFacts; readonly engine?: EngineReport }): void;
  /** @param error why it is refused; absent: it is ready */
  report(error?: Error): RegistrationReport;
}

/** @param folder `<id>/<version>` */
export function openRegistration(folder: string, clock: Clock): Registration {
  const at = clock.now().toISOString();
  const startedMs = performance.now();
  const checks: CheckReport[] = [];
  let known: Parameters<Registration['know']>[0] = {};
  return {
    async check<Found extends Checked>(id: CheckId, work: () => Found | Promise<Found>): Promise<Found> {
      const before = checks.length;
      const fromMs = performance.now();
      // What was checked meanwhile has its own time.
      const durationMs = (): number =>
        checks.slice(before).reduce((rest, inner) => rest - inner.durationMs, performance.now() - fromMs);
      let checked: Found;
      try {
        checked = await work();
      } catch (error) {
        if (checks.slice(before).some(({ outcome }) => outcome === 'failed')) throw error;
        const during = duringCheck(id, error);
        checks.push({ ...failed(id, during), durationMs: durationMs() });
        throw during;
      }
      const { tested, count, notes = [], findings = [] } = checked;
      const outcome = findings.length > 0 ? 'failed' : count === 0 ? 'nothing-to-test' : 'passed';
      checks.push({
        id,
        outcome,
        tested,
        count,
        durationMs: durationMs(),
        notes: notes.map(findingText),
        findings: findings.map(findingText),
      });
      if (findings.length > 0) throw modelInvalid(folder, findings);
      return checked;
    },
    know(facts) {
      known = { ...known, ...facts };
    },
    report: (error) => ({
      folder,
      state: error === undefined ? 'ready' : 'refused',
      ...(error === undefined ? {} : { reason: error.message }),
      ...known,
      at,
      durationMs: performance.now() - startedMs,
      checks,
    }),
  };
}

function failed(id: CheckId, error: unknown): Omit<CheckReport, 'durationMs'> {
  const issues = error instanceof PredictionError ? error.issues.map(({ message }) => message) : [];
  const message = error instanceof Error ? error.message : String(error);
  const findings = issues.length === 0 ? [message] : issues;
  return { id, outcome: 'failed', tested: 'it was not finished', count: 0, notes: [], findings };
}

/** What runs the model may end in any check: the reason says in which. */
function duringCheck(id: CheckId, error: unknown): unknown {
  if (!(error instanceof PredictionError) || error.code !== 'ENGINE_UNAVAILABLE') return error;
  return new PredictionError(error.code, `During the check ${id}: ${error.message}`, { cause: error });
}
