import { parseArgs } from 'node:util';
import { versionReport } from '../../entrances/models/version-report.ts';
import type { RegistrationReport } from '../../model-catalog/registration/registration-report.ts';
import { PredictionError } from '../../platform/errors.ts';
import { askModels } from './ask-models.ts';

/** What is shown of the answer of `GET /models/{id}/versions/{version}`. */
interface Shown {
  readonly state: string;
  readonly refusedFolder?: string;
  readonly registration: RegistrationReport;
}

/** `fhirsight models show ID@VERSION`: the tests of a version. @returns 0, or 1 for one that is refused */
export async function showVersionCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const [id, version] = positionals[0]?.split('@') ?? [];
  if (positionals.length !== 1 || id === undefined || version === undefined) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      'models show takes one version, for example: fhirsight models show prevent-base@1.0.0',
    );
  }
  const address = `/models/${encodeURIComponent(id)}/versions/${encodeURIComponent(version)}`;
  const shown = (await askModels(address, (catalog) => versionReport(catalog, id, version))) as Shown;
  process.stdout.write(values.json ? `${JSON.stringify(shown, null, 2)}\n` : textOf(shown));
  return shown.state === 'refused' ? 1 : 0;
}

function textOf({ state, refusedFolder, registration }: Shown): string {
  const { folder, at, durationMs, reason, digest, checks, graph, engine } = registration;
  const lines = [`${folder}: ${state}, tested at ${at} in ${shownMs(durationMs)}`];
  if (digest !== undefined) lines.push(`digest ${digest}`);
  for (const check of checks) {
    lines.push(
      `${check.outcome.padEnd(15)} ${check.id.padEnd(19)} ${check.count} ${check.tested} (${shownMs(check.durationMs)})`,
    );
    for (const finding of check.findings) lines.push(`    ${finding}`);
    for (const note of check.notes) lines.push(`    note: ${note}`);
  }
  if (graph !== undefined) {
    const { producer, opsets, operators } = graph;
    lines.push(
      `graph: ${`${producer.name} ${producer.version}`.trim() || 'no producer named'}; operator sets ${listed(opsets)}`,
    );
    lines.push(`operators: ${listed(operators)}`);
  }
  if (engine !== undefined) lines.push(`engine: ${engine.runtime}, ${engine.place}. ${engine.because}`);
  if (reason !== undefined) lines.push(`refused: ${reason}`);
  if (refusedFolder !== undefined)
    lines.push(`its folder is refused, and it is served as it was loaded: ${refusedFolder}`);
  return lines.map((line) => `${line}\n`).join('');
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function shownMs(ms: number): string {
  return `${Number(ms.toPrecision(2))} ms`;
}
