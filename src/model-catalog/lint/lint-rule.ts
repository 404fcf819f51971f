import type { Finding } from '../finding.ts';

/** An error keeps a model from being right or from being served; a warning is for its author to judge. */
export type Severity = 'error' | 'warning';

export interface LintFinding extends Finding {
  /** `load` for what the server checks at load too, else the name of the lint rule. */
  readonly rule: string;
  readonly severity: Severity;
}

/** One thing that lint checks beyond what load does. */
export interface LintRule<Subject> {
  readonly name: string;
  readonly severity: Severity;
  readonly check: (subject: Subject) => Finding[];
}

/** What one rule finds, with its name and severity. */
export function applyRule<Subject>({ name, severity, check }: LintRule<Subject>, subject: Subject): LintFinding[] {
  return check(subject).map((finding) => ({ ...finding, rule: name, severity }));
}
