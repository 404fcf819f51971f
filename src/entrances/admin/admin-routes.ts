import { type Request, type Response, Router } from 'express';
import type { SwitchTarget } from '../../governance/versions/standing-of.ts';
import type { VersionDesk } from '../../governance/versions/version-desk.ts';
import type { Asked, VersionRecord } from '../../governance/versions/version-record.ts';
import { tokenChecker } from '../../http/bearer-token.ts';
import { commandLineKey, type Principal } from '../../http/principal.ts';
import { readPlainJsonBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import { PredictionError } from '../../platform/errors.ts';
import { type ChangeBody, parseChange } from './parse-change.ts';

/** Who may change what is served. */
export interface AdminTokens {
  /** Of this process, for commands on this machine. */
  readonly commandLine: string;
  /** Of ADMIN_TOKEN_FILE; absent: nobody may over HTTP. */
  readonly http?: string;
}

export interface AdminOptions {
  readonly desk: VersionDesk;
  /** Loads what is new in MODELS_DIR. @returns what came of it, as JSON */
  readonly reload: () => Promise<object>;
  readonly tokens: AdminTokens;
}

/** A change is asked for by a few words. */
const maxBodyBytes = 10_000;

type ModelRequest = Request<{ id: string }>;

/** `/admin/models`: models are loaded anew, and versions promoted, rolled back, switched off and on, and shadowed. JSON as `/models`. */
export function adminRoutes({ desk, reload, tokens }: AdminOptions): Router {
  const router = Router();
  const wayOf = wayChecker(tokens);
  const askers = new WeakMap<Request, Asker>();
  const named = (response: Response, route: string): void => {
    requestContext(response).route = `/admin/models${route}`;
  };
  router.use((request, response, next) => {
    named(response, '');
    const { principal } = requestContext(response);
    // Where callers prove who they are, they were let through to here for what they ask.
    const way = principal.provedBy === 'nothing' ? wayOf(request) : wayOfPrincipal(principal);
    if (way === undefined) {
      request.resume();
      response.setHeader('WWW-Authenticate', 'Bearer realm="fhirsight administration"');
      throw new PredictionError(
        'UNAUTHENTICATED',
        'This needs the token of ADMIN_TOKEN_FILE, as Authorization: Bearer …; or use `fhirsight models` on the machine of the server.',
      );
    }
    askers.set(request, { way, ...(principal.provedBy === 'nothing' ? {} : { client: principal.client }) });
    next();
  });
  const asked = (request: Request, { by, because }: ChangeBody, usual: string): Asked => {
    const { way, client } = askers.get(request) ?? { way: 'http' as const, client: undefined };
    // Who is proved to ask is never left out for who is said to.
    const requester = client === undefined || by === undefined ? (by ?? client ?? tokenHolder) : `${by} (${client})`;
    return { way, requester, because: because ?? usual };
  };

  router.post('/reload', async (request, response) => {
    named(response, '/reload');
    request.resume();
    sendJson(response, 200, await reload());
  });
  const changes: Readonly<Record<string, (request: ModelRequest, body: unknown) => Promise<VersionRecord>>> = {
    promote(request, body) {
      const change = parseChange(body, ['version', 'by', 'because'], ['version']);
      return desk.promote(request.params.id, String(change.version), asked(request, change, noReason));
    },
    'roll-back'(request, body) {
      const change = parseChange(body, ['by', 'because'], []);
      return desk.rollBack(request.params.id, asked(request, change, noReason));
    },
    disable(request, body) {
      const change = parseChange(body, ['version', 'service', 'by', 'because'], ['because']);
      return desk.disable(targetOf(request, change), asked(request, change, noReason));
    },
    enable(request, body) {
      const change = parseChange(body, ['version', 'service', 'by', 'because'], []);
      return desk.enable(targetOf(request, change), asked(request, change, noReason));
    },
    shadow(request, body) {
      const change = parseChange(body, ['version', 'on', 'by', 'because'], ['version', 'on']);
      const { version, on } = change;
      return desk.shadow(request.params.id, String(version), on === true, asked(request, change, noReason));
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    router.post(`/:id/${name}`, async (request, response) => {
      named(response, `/:id/${name}`);
      sendJson(response, 200, recordBody(await change(request, await readPlainJsonBody(request, maxBodyBytes))));
    });
    router.all(`/:id/${name}`, only('POST'));
  }
  router.get('/:id/records', async (request, response) => {
    named(response, '/:id/records');
    sendJson(response, 200, { records: (await desk.history(request.params.id)).map(recordBody) });
  });
  router.all('/reload', only('POST'));
  router.all('/:id/records', only('GET, HEAD'));
  router.use((request) => {
    request.resume();
    const known = Object.keys(changes).map((name) => `{id}/${name}`);
    throw new PredictionError(
      'OPERATION_UNKNOWN',
      `There is nothing at this path. Below /admin/models there are reload, ${known.join(', ')} and {id}/records.`,
    );
  });
  return router;
}

interface Asker {
  readonly way: Asked['way'];
  /** The program, where it was proved. */
  readonly client?: string;
}

const tokenHolder = 'the holder of ADMIN_TOKEN_FILE';

function wayOfPrincipal({ key }: Principal): Asked['way'] {
  return key === commandLineKey ? 'command-line' : 'http';
}

const noReason = 'No reason was given.';

function targetOf({ params: { id } }: ModelRequest, { version, service }: ChangeBody): SwitchTarget {
  if (version !== undefined && service !== undefined) {
    throw new PredictionError(
      'PARAMETER_INVALID',
      'A switch is for a model, a version or a service: give version or service, not both.',
    );
  }
  return {
    model: id,
    ...(version === undefined ? {} : { version }),
    ...(service === undefined ? {} : { service }),
  };
}

/** A record as JSON; its number is the order of the table. */
function recordBody({ recorded, ...record }: VersionRecord): Record<string, unknown> {
  return { recorded: recorded.toISOString(), ...record };
}

function wayChecker({ commandLine, http }: AdminTokens): (request: Request) => Asked['way'] | undefined {
  const isCommandLine = tokenChecker(commandLine);
  const isHttp = http === undefined ? () => false : tokenChecker(http);
  return (request) => {
    // Both are compared, whichever it is.
    const [command, other] = [isCommandLine(request), isHttp(request)];
    if (command) return 'command-line';
    return other ? 'http' : undefined;
  };
}

function only(allowed: string): (request: Request, response: Response) => never {
  return (request, response) => {
    response.setHeader('Allow', allowed);
    request.resume();
    throw new PredictionError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; allowed is ${allowed}.`);
  };
}
