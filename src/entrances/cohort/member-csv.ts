import { csvCell } from '../../http/csv-cell.ts';
import type { RunMember } from '../../runs/run.ts';

const columns = [
  'subject',
  'state',
  'score',
  'outcome',
  'band',
  'reasons',
  'result',
  'resource',
  'error',
  'focus',
] as const;

export const memberCsvHead = `${columns.join(',')}\r\n`;

/** One member as a line of CSV (RFC 4180). The score has all its digits. */
export function memberCsvLine(member: RunMember): string {
  const { error, resource } = member;
  const cells: Readonly<Record<(typeof columns)[number], string | number | undefined>> = {
    subject: member.subject,
    state: member.state,
    score: member.score,
    outcome: member.outcome,
    band: member.band,
    reasons: member.reasons.join(' '),
    result: member.result,
    resource,
    error: error === undefined ? undefined : `${error.code}: ${error.message}`,
    focus: member.focus,
  };
  return `${columns.map((column) => csvCell(cells[column])).join(',')}\r\n`;
}
