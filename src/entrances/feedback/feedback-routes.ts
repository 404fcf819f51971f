import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Request, type Response, Router } from 'express';
import { requirePermission } from '../../http/access/permissions.ts';
import { requestContext } from '../../http/request-context.ts';
import { sendJson } from '../../http/send-json.ts';
import type { FeedbackKey, JoinedFeedback } from '../../monitoring/cds-feedback.ts';
import type { FeedbackRates } from '../../monitoring/feedback-rates.ts';
import type { KeptReview, ReviewKey, ReviewRates } from '../../monitoring/report-reviews.ts';
import { PredictionError } from '../../platform/errors.ts';
import {
  type FeedbackLine,
  feedbackCsvHead,
  feedbackCsvLine,
  feedbackLine,
  type LabelOfChoice,
  reviewLine,
} from './feedback-line.ts';
import { type FeedbackPeriod, type FeedbackQuery, parseFeedbackQuery, parseRatesQuery } from './feedback-query.ts';

/** What the routes need of what was kept. */
export interface FeedbackDesk {
  /** At most `count` answers of a period, the oldest first, behind `after`. */
  page(period: FeedbackPeriod, count: number, after?: FeedbackKey): Promise<readonly JoinedFeedback[]>;
  rates(period: FeedbackPeriod): Promise<readonly FeedbackRates[]>;
  /** At most `count` reviews of reports, likewise. */
  reviews(period: FeedbackPeriod, count: number, after?: ReviewKey): Promise<readonly KeptReview[]>;
  reviewRates(period: FeedbackPeriod): Promise<readonly ReviewRates[]>;
  readonly labelOf: LabelOfChoice;
}

const answersAtOnce = 250;

/**
 * `/cds-feedback`: what clinicians answered to cards, or found of reports, as NDJSON or CSV (DSI-42), and how often they accepted and
 * overrode, confirmed and rejected them. Their own words are given to those only who may read comments.
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
    const [services, reports] = await Promise.all([desk.rates(period), desk.reviewRates(period)]);
    sendJson(response, 200, { from: from.toISOString(), to: to.toISOString(), services, reports });
  });
  router.all(['/', '/rates'], only('GET, HEAD'));
  return router;
}

/** Page by page, as fast as the caller reads, without holding anything of the database in between. */
async function sendAnswers(response: Response, desk: FeedbackDesk, query: FeedbackQuery): Promise<void> {
  const { format, comments, of } = query;
  const pages: AsyncGenerator<readonly FeedbackLine[]> =
    of === 'cards'
      ? pagesOf(
          (after?: FeedbackKey) => desk.page(query, answersAtOnce, after),
          (answer) => feedbackLine(answer, desk.labelOf, comments),
        )
      : pagesOf(
          (after?: ReviewKey) => desk.reviews(query, answersAtOnce, after),
          (review) => reviewLine(review, comments),
        );
  // What fails at the first page is answered as an error.
  const first = await pages.next();
  response.setHeader(
    'Content-Type',
    format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson',
  );
  const name = of === 'cards' ? 'cds-feedback' : 'report-reviews';
  response.setHeader('Content-Disposition', `attachment; filename="${name}.${format}"`);
  response.setHeader('Cache-Control', 'no-store');
  const texts = async function* (): AsyncGenerator<string> {
    if (format === 'csv') yield feedbackCsvHead(comments);
    const textOf = (page: readonly FeedbackLine[]): string =>
      page.map((line) => (format === 'csv' ? feedbackCsvLine(line, comments) : `${JSON.stringify(line)}\n`)).join('');
    if (!first.done) yield textOf(first.value);
    for await (const page of pages) yield textOf(page);
  };
  await pipeline(Readable.from(texts()), response);
}

/** @param read the next page behind a row; what it gives a row by which the one after it is found */
async function* pagesOf<Key, Row extends Key>(
  read: (after?: Key) => Promise<readonly Row[]>,
  lineOf: (row: Row) => FeedbackLine,
): AsyncGenerator<readonly FeedbackLine[]> {
  let page = await read();
  while (page.length > 0) {
    yield page.map(lineOf);
    const last = page.at(-1);
    if (last === undefined || page.length < answersAtOnce) return;
    page = await read(last);
  }
}

function only(allowed: string): (request: Request, response: Response) => never {
  return (request, response) => {
    response.setHeader('Allow', allowed);
    request.resume();
    throw new PredictionError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; allowed is ${allowed}.`);
  };
}
