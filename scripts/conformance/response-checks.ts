import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cdsResponseFindings } from '../../test/support/cds-response-checker.ts';
import type { Check } from './check.ts';
import { hookBody, prefetchFor, serviceOf } from './hook-call.ts';
import type { DiscoveredService, Site } from './site.ts';

interface Card {
  readonly uuid?: string;
  readonly summary: string;
  readonly detail?: string;
  readonly indicator: string;
  readonly source: { readonly label?: string; readonly url?: string };
  readonly links?: readonly { readonly url: string; readonly type: string }[];
  readonly overrideReasons?: readonly { readonly display?: string }[];
  readonly suggestions?: readonly { readonly uuid?: string; readonly actions?: readonly unknown[] }[];
}

/** What services answer (CDS-5, CDS-16, CDS-30 to CDS-43) and the feedback on it (CDS-50 to CDS-54). */
export const responseChecks: readonly Check[] = [
  {
    ids: ['CDS-5', 'CDS-30', 'CDS-32', 'CDS-34', 'CDS-36', 'CDS-37', 'CDS-38', 'CDS-39', 'CDS-40'],
    says: 'Every answer of every service has the form of the specification',
    async run(site) {
      let cards = 0;
      let suggestions = 0;
      for (const service of site.services) {
        const prefetch = prefetchFor(service, site.record);
        const none = withoutObservations(service, prefetch);
        for (const given of [prefetch, none]) {
          const { status, json, text } = await site.cds(`/${service.id}`, {
            body: hookBody(site, service, { prefetch: given }),
          });
          assert.equal(status, 200, `${service.hook}: ${status} ${text}`);
          assert.deepEqual(cdsResponseFindings(json), []);
          const answered = (json as { cards: readonly Card[] }).cards;
          cards += answered.length;
          suggestions += answered.flatMap((card) => card.suggestions ?? []).length;
        }
      }
      return `${2 * site.services.length} answers with ${cards} cards and ${suggestions} suggestions; no finding`;
    },
  },
  {
    ids: ['CDS-31'],
    says: 'Every card has a UUID of its own',
    async run(site) {
      const cards = [...(await cardsOf(site)), ...(await cardsOf(site))];
      const uuids = cards.map(({ uuid }) => uuid ?? assert.fail('a card has no uuid'));
      assert.equal(new Set(uuids).size, cards.length);
      return `${cards.length} cards, ${cards.length} UUIDs`;
    },
  },
  {
    ids: ['CDS-33', 'CDS-35', 'CDS-41', 'CDS-42'],
    says: 'Details are Markdown without HTML; sources, links and override reasons are whole',
    async run(site) {
      const cards = await cardsOf(site);
      for (const { detail = '', source, links = [], overrideReasons = [] } of cards) {
        assert.doesNotMatch(detail.replaceAll(/`[^`]*`/g, ''), /(?<!\\)<[a-z/!]/i);
        assert.ok(source.label);
        for (const url of [source.url, ...links.map((link) => link.url)])
          assert.ok(url === undefined || URL.canParse(url));
        for (const { display } of overrideReasons) assert.ok(display);
      }
      return `${cards.length} cards, such as: ${cards[0]?.summary}`;
    },
  },
  {
    ids: ['CDS-43'],
    says: 'No systemActions for a client that is not configured for them',
    async run(site) {
      for (const service of site.services) {
        const { json } = await site.cds(`/${service.id}`, { body: hookBody(site, service) });
        assert.equal((json as { systemActions?: unknown }).systemActions, undefined, service.id);
      }
      return `${site.services.length} services: none`;
    },
  },
  {
    ids: ['CDS-16'],
    says: 'Answers come within 500 ms',
    async run(site) {
      const service = serviceOf(site);
      const times: number[] = [];
      for (let call = 0; call < 20; call++) {
        const body = hookBody(site, service);
        const started = performance.now();
        const { status } = await site.cds(`/${service.id}`, { body });
        assert.equal(status, 200);
        times.push(performance.now() - started);
      }
      times.sort((one, other) => one - other);
      const [median = 0, slowest = 0] = [times[10], times.at(-1)];
      assert.ok(median <= 500, `the median of 20 calls is ${median.toFixed(0)} ms`);
      return `20 calls: median ${median.toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms`;
    },
  },
  {
    ids: ['CDS-50', 'CDS-51', 'CDS-52'],
    says: 'Feedback in its form is taken, in another it is refused',
    async run(site) {
      const [card] = await cardsOf(site);
      const overridden = {
        card: card?.uuid ?? randomUUID(),
        outcome: 'overridden',
        overrideReason: { reason: { system: 'https://example.org/reasons', code: 'known' } },
        outcomeTimestamp: new Date().toISOString(),
      };
      assert.equal(await feedback(site, { feedback: [overridden] }), 200);
      const bad = [
        overridden,
        { feedback: overridden },
        { feedback: [{ ...overridden, outcome: 'ignored' }] },
        { feedback: [{ ...overridden, card: undefined }] },
        { feedback: [{ ...overridden, outcomeTimestamp: 'yesterday' }] },
        { feedback: [{ ...overridden, outcome: 'accepted' }] },
        { feedback: [{ ...overridden, overrideReason: {} }] },
      ];
      for (const body of bad) assert.equal(await feedback(site, body), 400, JSON.stringify(body));
      return `a reason without its display: 200; ${bad.length} malformed bodies: 400`;
    },
  },
  {
    ids: ['CDS-53', 'CDS-54'],
    says: 'The same feedback may come again, and may be about a card that is not known',
    async run(site) {
      const body = {
        feedback: [{ card: randomUUID(), outcome: 'overridden', outcomeTimestamp: new Date().toISOString() }],
      };
      assert.deepEqual([await feedback(site, body), await feedback(site, body)], [200, 200]);
      return 'twice, of an unknown card: 200, 200';
    },
  },
];

/** The same patient, of whom nothing was ever measured. */
function withoutObservations(
  { prefetch: templates = {} }: DiscoveredService,
  prefetch: Readonly<Record<string, unknown>>,
) {
  const measured = Object.keys(templates).filter((key) => templates[key]?.startsWith('Observation'));
  return { ...prefetch, ...Object.fromEntries(measured.map((key) => [key, null])) };
}

async function cardsOf(site: Site): Promise<readonly Card[]> {
  const service = serviceOf(site);
  const { status, json, text } = await site.cds(`/${service.id}`, { body: hookBody(site, service) });
  assert.equal(status, 200, text);
  return (json as { cards: readonly Card[] }).cards;
}

async function feedback(site: Site, body: unknown): Promise<number> {
  return (await site.cds(`/${serviceOf(site).id}/feedback`, { body })).status;
}
