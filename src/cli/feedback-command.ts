import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { readAdminToken } from '../platform/admin-token.ts';
import { readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { type RunningServer, runningServer } from './running-server.ts';

/**
 * `fhirsight feedback`: what clinicians answered to cards in a period, with --reports what they found of reports, or with --rates how
 * often they did which, asked of the server that runs on this data. @returns 0
 */
export async function feedbackCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      from: { type: 'string' },
      to: { type: 'string' },
      format: { type: 'string', default: 'csv' },
      comments: { type: 'boolean', default: false },
      rates: { type: 'boolean', default: false },
      reports: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const { from, to, format, comments, rates, reports, out } = values;
  if (from === undefined || to === undefined)
    throw new PredictionError(
      'PARAMETER_INVALID',
      'feedback needs --from and --to: days or instants; --to is exclusive.',
    );
  const config = readConfigFromProcess();
  const server = await runningServer(config);
  if (server === undefined)
    throw new PredictionError(
      'DATABASE_UNAVAILABLE',
      `No server runs on ${config.dataDir}. Start one with \`fhirsight serve\`, and ask again.`,
    );
  const query = new URLSearchParams(
    rates
      ? { from, to }
      : { from, to, format, ...(reports ? { of: 'reports' } : {}), ...(comments ? { comments: 'include' } : {}) },
  );
  const text = await answerOf(
    server,
    `/cds-feedback${rates ? '/rates' : ''}?${query}`,
    await readAdminToken(config.dataDir),
  );
  if (out === undefined) process.stdout.write(text);
  else await writeFile(out, text, { mode: 0o600, flag: 'wx' }).catch((cause: unknown) => refuseFile(out, cause));
  return 0;
}

async function answerOf(server: RunningServer, address: string, token: string | undefined): Promise<string> {
  const headers = { accept: '*/*', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const response = await server.fetch(`${server.url}${address}`, { headers });
  const text = await response.text();
  if (response.ok) return text;
  const { issue } = JSON.parse(text) as { readonly issue?: readonly { readonly diagnostics?: string }[] };
  const said = issue?.map(({ diagnostics = '' }) => diagnostics).join('\n') ?? '';
  const code = response.status === 400 ? 'PARAMETER_INVALID' : response.status < 500 ? 'UNAUTHENTICATED' : 'INTERNAL';
  throw new PredictionError(code, `The server answered ${response.status}. ${said}`);
}

function refuseFile(file: string, cause: unknown): never {
  throw new PredictionError(
    'PARAMETER_INVALID',
    `${file} cannot be written (${cause instanceof Error && 'code' in cause ? String(cause.code) : 'failed'}); name a file that is not there yet.`,
    { cause },
  );
}
