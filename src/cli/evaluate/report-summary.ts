import { numberText } from '../../governance/evaluation/report/figure-text.ts';
import type { EvaluationReport } from '../../model-catalog/evaluation-report-schema.ts';

/** What a report says at its end, for people: rows, notes and figures; nobody's values. */
export function reportSummary({ rows, notes, measures }: EvaluationReport, files: readonly string[]): string {
  const { reasons } = rows;
  const listed = (what: string, counts: Readonly<Record<string, number>>): string[] =>
    Object.entries(counts).map(([reason, count]) => `  ${what} ${reason}: ${count}`);
  return [
    `${rows.read} rows: ${rows.evaluated} evaluated, ${rows.abstained} abstained, ${rows.failed} failed, ${rows.withoutLabel} without a label, ${rows.leftOut} left out`,
    ...listed('abstained', reasons.abstained),
    ...listed('failed', reasons.failed),
    ...listed('left out', reasons.leftOut),
    ...notes.map((note) => `note: ${note}`),
    ...Object.entries(measures).map(([name, figure]) => {
      if ('unavailable' in figure) return `${name}: not available, ${figure.unavailable}`;
      const value = numberText(figure.value);
      if ('noInterval' in figure) return `${name}: ${value}, no interval: ${figure.noInterval}`;
      return `${name}: ${value} (${numberText(figure.interval.low)} to ${numberText(figure.interval.high)})`;
    }),
    `written: ${files.join(', ')}`,
    '',
  ].join('\n');
}
