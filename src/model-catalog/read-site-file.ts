import { readFile } from 'node:fs/promises';
import { PredictionError } from '../platform/errors.ts';
import { checkSiteFile } from './check-site-file.ts';
import type { Finding } from './finding.ts';
import { repeatedKeys } from './lint/repeated-keys.ts';
import { parseSiteFile } from './parse-model-json.ts';
import type { SiteFileContent } from './site-file-schema.ts';

/** The local codes and unit texts of one site, checked; `file` is where they were read. */
export interface SiteFile extends SiteFileContent {
  readonly file: string;
}

/**
 * Reads SITE_FILE. No file is no site.
 * Throws CONFIG_INVALID with one issue per fault: file, JSON path, reason.
 */
export async function readSiteFile(file: string | undefined): Promise<SiteFile | undefined> {
  if (file === undefined) return undefined;
  const { site, findings } = await inspectSiteFile(file);
  if (site !== undefined && findings.length === 0) return site;
  const messages = findings.map(
    ({ path, message }) => `SITE_FILE ${file}${path === '' ? '' : ` ${path}`}: ${message}.`,
  );
  throw new PredictionError('CONFIG_INVALID', messages.join('\n'), {
    issues: messages.map((message) => ({ message })),
  });
}

/**
 * Reads a site file as far as it can be read, with everything that is wrong with it.
 * Throws CONFIG_INVALID where the file cannot be read at all.
 */
export async function inspectSiteFile(
  file: string,
): Promise<{ readonly site?: SiteFile; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const bytes = await readFile(file).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new PredictionError(
      'CONFIG_INVALID',
      `SITE_FILE ${file} cannot be read (${code}). Name a file this user may read, or unset SITE_FILE.`,
      { cause },
    );
  });
  const content = parseSiteFile(file, bytes, findings);
  if (content === undefined) return { findings };
  for (const { path, line } of repeatedKeys(new TextDecoder().decode(bytes)))
    findings.push({ file, path, message: `is there twice, again in line ${line}; rename or remove one` });
  checkSiteFile(content, (path, message) => findings.push({ file, path, message }));
  return { site: { ...content, file }, findings };
}
