import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Request, type Response, Router } from 'express';
import { requirePermission } from '../../http/access/permissions.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import type { FeedbackKey, JoinedFeedback } from '../../monitoring/cds-feedback.ts';
import type { FeedbackRates } from '../../monitoring/feedback-rates.ts';
import { PredictionError } from '../../platform/errors.ts';
import { feedbackCsvHead, feedbackCsvLine, feedbackLine, type LabelOfChoice } from './feedback-line.ts';
import { type FeedbackPeriod, type FeedbackQuery, parseFeedbackQuery, parseRatesQuery } from './feedback-query.ts';

/** What the routes need of what was kept. */
export interface FeedbackDesk {
  /** At most `count` answers of a period, the oldest first, behind `after`. */
  page(period: FeedbackPeriod, count: number, after?: FeedbackKey): Promise<readonly JoinedFeedback[]>;
  rates(period: FeedbackPeriod): Promise<readonly FeedbackRates[]>;
  readonly labelOf: LabelOfChoice;
}

const answersAtOnce = 250;

/**
 * `/cds-feedback`: what clinicians answered to cards, as NDJSON or CSV (DSI-42), and how often they accepted and overrode
 * them. Their own words are given to those only who may read comments.
 */
export function feedbackRoutes(desk: FeedbackDesk, { timeZone }: { readonly timeZone: string }): Router {
  const router = Router();
  router.get('/', async (request, response) => {
    requestContext(response).route = '/cds-feedback';
    const { principal } = requestContext(response);
    requirePermission(principal, 'feedback.read');
    const query = parseFeedbackQuery(request.url, timeZone);
    if (query.comments) requirePermission(principal, 'feedback.comments');
    await sendAnswers(response, desk, query);
  });
  router.get('/rates', async (request, response) => {
    requestContext(response).route = '/cds-feedback/rates';
    requirePermission(requestContext(response).principal, 'feedback.read');
    const period = parseRatesQuery(request.url, timeZone);
    const { from, to } = period;
    sendJson(response, 200, { from: from.toISOString(), to: to.toISOString(), services: await desk.rates(period) });
  });
  router.all(['/', '/rates'], only('GET, HEAD'));
  return router;
}

/** Page by page, as fast as the caller reads, without holding anything of the database in between. */
async function sendAnswers(response: Response, desk: FeedbackDesk, query: FeedbackQuery): Promise<void> {
  const { format, comments } = query;
  const first = await desk.page(query, answersAtOnce);
  response.setHeader(
    'Content-Type',
    format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson',
  );
  response.setHeader('Content-Disposition', `attachment; filename="cds-feedback.${format}"`);
  response.setHeader('Cache-Control', 'no-store');
  const lines = async function* (): AsyncGenerator<string> {
    if (format === 'csv') yield feedbackCsvHead(comments);
    let page = first;
    while (page.length > 0) {
      yield page
        .map((answer) => feedbackLine(answer, desk.labelOf, comments))
        .map((line) => (format === 'csv' ? feedbackCsvLine(line, comments) : `${JSON.stringify(line)}\n`))
        .join('');
      const last = page.at(-1);
      if (last === undefined || page.length < answersAtOnce) return;
      page = await desk.page(query, answersAtOnce, last);
    }
  };
  await pipeline(Readable.from(lines()), response);
}

function only(allowed: string): (request: Request, response: Response) => never {
  return (request, response) => {
    response.setHeader('Allow', allowed);
    request.resume();
    throw new PredictionError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; allowed is ${allowed}.`);
  };
}
