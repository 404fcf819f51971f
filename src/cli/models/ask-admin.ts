import { readAdminToken } from '../../platform/admin-token.ts';
import type { Config } from '../../platform/config.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { RunningServer } from '../running-server.ts';

/**
 * Asks a running server below /admin, with the token that it has left beside its lock.
 * @param body absent: it is read
 * @param area of administration: below /admin
 * @returns what it answered. Throws UNAUTHENTICATED where this user may not read the token, DATABASE_UNAVAILABLE where it
 * does not answer, PARAMETER_INVALID and other codes with the message of the server
 */
export async function askAdmin(
  config: Config,
  { url, fetch }: RunningServer,
  path: string,
  body?: object,
  area = 'models',
): Promise<unknown> {
  const token = await readAdminToken(config.dataDir);
  if (token === undefined) {
    throw new PredictionError(
      'UNAUTHENTICATED',
      `The server at ${url} is changed by the user that runs it: its token in ${config.dataDir} cannot be read by this one.`,
    );
  }
  const response = await fetch(`${url}/admin/${area}/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  throw new AdminRefusal(messageOf(answer) ?? `The server answered ${response.status}.`);
}

/** What the server refused, in its words. */
export class AdminRefusal extends Error {}

/** The issues of an OperationOutcome. */
function messageOf(answer: unknown): string | undefined {
  const { issue } = answer as { readonly issue?: readonly { readonly diagnostics?: string }[] };
  return issue?.map(({ diagnostics = '' }) => diagnostics).join('\n');
}
