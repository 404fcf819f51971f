import type { EngineReport } from '../engine-report.ts';
import type { GraphFacts } from './graph-facts.ts';

/**
 * The tests that a model version has to pass before it is served, in this order:
 * - `folder`: files, checksums, forms of the JSON files, and that they fit together
 * - `graph`: the file of the graph is read; its operators are known, and what it says of itself does not contradict the manifest
 * - `class-labels`: the classes that the graph names are those that the outcomes say
 * - `golden-spread`: the golden cases hold a low and a high case of each probability
 * - `golden-cases`, `nan`, `extremes`, `texts`, `images`, `directions`: run in a process with limits on memory and time
 * - `engine`: opened there and timed; names, types and shapes are as declared; how rows run together; which device
 * - `golden-cases-served`: the golden cases again, where the model serves
 */
export const checkIds = [
  'folder',
  'graph',
  'class-labels',
  'golden-spread',
  'golden-cases',
  'nan',
  'extremes',
  'texts',
  'images',
  'directions',
  'engine',
  'golden-cases-served',
] as const;

export type CheckId = (typeof checkIds)[number];

export interface CheckReport {
  readonly id: CheckId;
  /** `nothing-to-test`: the model has nothing that the check is about. */
  readonly outcome: 'passed' | 'failed' | 'nothing-to-test';
  /** What was tested. */
  readonly tested: string;
  /** How many of these. */
  readonly count: number;
  readonly durationMs: number;
  /** What did not fail, and a reader should know. */
  readonly notes: readonly string[];
  /** Why it failed: file, place and reason. */
  readonly findings: readonly string[];
}

/** The report of a version that passed every test, and is refused for what stands beside it. */
export function refusedReport(report: RegistrationReport, error: Error): RegistrationReport {
  return { ...report, state: 'refused', reason: error.message };
}

/** How a version came to be served, or why it is not. */
export interface RegistrationReport {
  /** `<id>/<version>`, as the folders are named. */
  readonly folder: string;
  readonly state: 'ready' | 'refused';
  /** Why it is refused. */
  readonly reason?: string;
  /** See ModelVersion.digest; absent where the folder could not be read. */
  readonly digest?: string;
  /** When the tests began, ISO 8601. */
  readonly at: string;
  readonly durationMs: number;
  /** Those that were made; none is made after one that failed. */
  readonly checks: readonly CheckReport[];
  /** What the file of the graph says about itself; absent where it was not read. */
  readonly graph?: GraphFacts;
  /** What was measured of it; absent where it was not opened. */
  readonly engine?: EngineReport;
}
