import { type Request, type Response, Router } from 'express';
import type { Principal } from '../../http/principal.ts';
import { readJsonBody } from '../../http/read-body.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { RunReport, Runs } from '../../runs/open-runs.ts';
import type { RunRequest } from '../../runs/run.ts';
import type { SealedCohort } from '../../runs/sealed-cohort.ts';
import { parseMemberListQuery, parseRunListQuery, runPageToken } from './list-query.ts';
import { parseRunRequest } from './parse-run-request.ts';
import { runBody } from './run-body.ts';
import { sendMembers } from './send-members.ts';

/** A run is asked for by a few words. */
const maxBodyBytes = 100_000;

export interface RunRoutesOptions {
  readonly timeZone: string;
  /** Throws FORBIDDEN where whoever asks may not have this read and written. */
  readonly authorise: (principal: Principal, request: RunRequest) => void;
  /** Whether whoever asks may search for people, and so may see what a cohort was searched by: names, birth dates. */
  readonly seesSearches: (principal: Principal) => boolean;
  /** Throws FORBIDDEN where whoever asks may not read the results of people, or of studies where the cohort is of those. */
  readonly authoriseMembers: (principal: Principal, cohort?: RunReport['cohort']) => void;
}

/** `/runs`: cohort runs are made, watched, cancelled and resumed, and their members listed. */
export function runRoutes(runs: Runs, options: RunRoutesOptions): Router {
  const { timeZone, authorise } = options;
  const router = Router();
  const shown = (response: Response, report: RunReport): Record<string, unknown> =>
    runBody(report, { seesSearches: options.seesSearches(requestContext(response).principal) });
  const named = (response: Response, route: string): void => {
    requestContext(response).route = `/runs${route}`;
  };
  router.post('/', async (request, response) => {
    named(response, '');
    const key = idempotencyKey(request);
    const asked = parseRunRequest(await readJsonBody(request, maxBodyBytes), timeZone);
    const { principal } = requestContext(response);
    authorise(principal, asked);
    const { run, repeated } = await runs.create(asked, {
      ...(key === undefined ? {} : { idempotencyKey: { owner: principal.key, key } }),
      ...(principal.provedBy === 'nothing' ? {} : { requester: principal.client }),
    });
    response.setHeader('Location', `${request.baseUrl}/${run.id}`);
    sendJson(response, repeated ? 200 : 202, shown(response, await runs.read(run.id)));
  });
  router.get('/', async (request, response) => {
    named(response, '');
    const { count, after } = parseRunListQuery(request.url);
    const found = await runs.list(count + 1, after);
    const page = found.slice(0, count);
    const last = page.at(-1)?.run;
    const more = found.length > count && last !== undefined;
    const next = `${request.baseUrl}?_count=${count}&_page=${last === undefined ? '' : runPageToken(last)}`;
    sendJson(response, 200, { runs: page.map((report) => shown(response, report)), next: more ? next : undefined });
  });
  router.get('/:id', async (request, response) => {
    named(response, '/:id');
    sendJson(response, 200, shown(response, await runs.read(request.params.id)));
  });
  router.get('/:id/members', async (request, response) => {
    named(response, '/:id/members');
    const { principal } = requestContext(response);
    // Whoever may list no members is not told which runs there are.
    options.authoriseMembers(principal);
    const { id } = request.params;
    options.authoriseMembers(principal, (await runs.read(id)).cohort);
    const query = parseMemberListQuery(request.url);
    await sendMembers(response, runs, id, { path: `${request.baseUrl}/${id}/members`, query });
  });
  for (const action of ['cancel', 'resume'] as const) {
    router.post(`/:id/${action}`, async (request, response) => {
      named(response, `/:id/${action}`);
      request.resume();
      if (action === 'resume') {
        // What was asked for is read and written by whoever lets it go on.
        const { run, cohort } = await runs.read(request.params.id);
        if ('sealedWith' in cohort) throw unreadable(cohort);
        const { model, writeBack } = run;
        authorise(requestContext(response).principal, { model: model.id, version: model.version, cohort, writeBack });
      }
      const { id } = await runs[action](request.params.id);
      response.setHeader('Location', `${request.baseUrl}/${id}`);
      sendJson(response, 202, shown(response, await runs.read(id)));
    });
    router.all(`/:id/${action}`, only('POST'));
  }
  router.all('/', only('GET, HEAD, POST'));
  router.all(['/:id', '/:id/members'], only('GET, HEAD'));
  return router;
}

/** Whether somebody may have a run read and written depends on its cohort. */
function unreadable({ sealedWith }: SealedCohort): PredictionError {
  return new PredictionError(
    'RUN_CONFLICT',
    `The cohort of this run is sealed with the key '${sealedWith}', which this server does not hold. Put that key behind the current ` +
      'one in VALUES_KEY_FILE, or make a new run.',
  );
}

function only(allowed: string): (request: Request, response: Response) => never {
  return (request, response) => {
    response.setHeader('Allow', allowed);
    request.resume();
    throw new PredictionError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; allowed is ${allowed}.`);
  };
}

/** Repeats of a request with the same key give the same run. Keys of schedules cannot be taken from outside. */
function idempotencyKey(request: Request): string | undefined {
  const key = request.get('Idempotency-Key');
  if (key === undefined) return undefined;
  if (/^[\x21-\x7e]{1,200}$/.test(key) && !key.startsWith('schedule:')) return key;
  const message =
    "Idempotency-Key must be 1 to 200 printable characters without spaces, and not begin with 'schedule:'.";
  throw new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'value', message, expression: 'http.Idempotency-Key' }],
  });
}
