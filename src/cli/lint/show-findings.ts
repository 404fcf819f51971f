import type { LintFinding } from '../../model-catalog/lint/lint-rule.ts';
import type { LintReport } from './lint-model-folder.ts';

/** A line for each finding: `file path: message [severity: rule]`. */
export function findingLines({ findings }: LintReport): string {
  return findings
    .map(({ file, path, message, severity, rule }) => {
      const place = path === '' ? file : `${file} ${path}`;
      return `${place}: ${message} [${severity}: ${rule}]\n`;
    })
    .join('');
}

/** The findings as JSON for another program, with how many of each severity there are. */
export function findingsJson({ model, findings }: LintReport): string {
  const shown = findings.map(({ file, path, message, severity, rule }) => ({ severity, rule, file, path, message }));
  const { errors, warnings } = countFindings(findings);
  return `${JSON.stringify({ model, errors, warnings, findings: shown }, null, 2)}\n`;
}

/** `prevent-base/1.0.0: 1 error, 2 warnings` */
export function summary({ model, findings }: LintReport): string {
  const { errors, warnings } = countFindings(findings);
  const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  return `${model}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}\n`;
}

export function countFindings(findings: readonly LintFinding[]): {
  readonly errors: number;
  readonly warnings: number;
} {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return { errors, warnings: findings.length - errors };
}
