import type { ImageServerExamination } from './examine-image-servers.ts';

/** The servers of IMAGING_FILE as text; nothing where there are none. */
export function showImageServers(servers: readonly ImageServerExamination[]): string {
  if (servers.length === 0) return '';
  const lines = servers.map(
    ({ name, base, answers, reason }) => `  ${name.padEnd(11)} ${answers ? `answers (${base})` : `FAILS: ${reason}`}`,
  );
  return `\nImage servers\n${lines.join('\n')}\n`;
}
