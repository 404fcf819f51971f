import type { RunMember } from '../../runs/run.ts';

const columns = ['subject', 'state', 'score', 'outcome', 'band', 'reasons', 'result', 'resource', 'error'] as const;

export const memberCsvHead = `${columns.join(',')}\r\n`;

/** One member as a line of CSV (RFC 4180). The score has all its digits. */
export function memberCsvLine(member: RunMember): string {
  const { error, resourceId } = member;
  const cells: Readonly<Record<(typeof columns)[number], string | number | undefined>> = {
    subject: member.subject,
    state: member.state,
    score: member.score,
    outcome: member.outcome,
    band: member.band,
    reasons: member.reasons.join(' '),
    result: member.result,
    resource: resourceId === undefined ? undefined : `RiskAssessment/${resourceId}`,
    error: error === undefined ? undefined : `${error.code}: ${error.message}`,
  };
  return `${columns.map((column) => cell(cells[column])).join(',')}\r\n`;
}

/** A text that a spreadsheet would take for a formula gets an apostrophe in front: what others sent never runs there. */
function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const harmless = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
