import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { casesDir, casesPresent, readCsv } from '../../support/cases.ts';
import { cdsResponseFindings } from '../../support/cds-response-checker.ts';

const good = {
  cards: [
    {
      uuid: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
      summary: 'Synthetic card',
      indicator: 'info',
      detail: 'Some *detail*',
      source: { label: 'Synthetic', url: 'https://example.org/source' },
    },
  ],
};

const suggestion = {
  label: 'Order a panel',
  uuid: '6d2c5a5e-6b1c-4a3e-9f50-1f2e3d4c5b6a',
  actions: [{ type: 'create', description: 'Draft', resource: { resourceType: 'ServiceRequest' } }],
};
const suggesting = (change: Record<string, unknown>) =>
  changed({ suggestions: [{ ...suggestion, ...change }], selectionBehavior: 'any' });
const acting = (action: unknown) => suggesting({ actions: [action] });
const linking = (change: Record<string, unknown>) =>
  changed({ links: [{ label: 'x', url: 'https://example.org', type: 'smart', ...change }] });
const draft = { resourceType: 'ServiceRequest' };
const changed = (change: Record<string, unknown>) => ({ cards: [{ ...good.cards[0], ...change }] });

describe('the checker of responses', () => {
  test
    .runIf(casesPresent)
    .each(readCsv('cds_hooks/hl7_validator_cases/expected.csv').filter(({ model }) => model === 'CDSHooksResponse'))(
    'judges $file as the HL7 validator does: $expected',
    ({ file = '', expected }) => {
      const document = JSON.parse(readFileSync(path.join(casesDir, 'cds_hooks/hl7_validator_cases', file), 'utf8'));
      expect(cdsResponseFindings(document).length === 0).toBe(expected === 'valid' && file !== '');
    },
  );

  test('passes a good card, and no cards', () => {
    expect(cdsResponseFindings(good)).toEqual([]);
    expect(cdsResponseFindings({ cards: [] })).toEqual([]);
    expect(cdsResponseFindings(suggesting({ isRecommended: true }))).toEqual([]);
    expect(cdsResponseFindings(acting({ type: 'delete', description: 'x', resourceId: 'Task/1' }))).toEqual([]);
    expect(cdsResponseFindings(linking({ appContext: 'x', autolaunchable: true }))).toEqual([]);
    expect(cdsResponseFindings({ cards: [], systemActions: [{ type: 'create', resource: draft }] })).toEqual([]);
  });

  test.each([
    ['CDS-30 cards are missing', {}],
    ['CDS-30 systemActions are empty', { cards: [], systemActions: [] }],
    ['CDS-31 uuid with a prefix', changed({ uuid: 'urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea' })],
    ['CDS-32 summary of 140 characters', changed({ summary: 'x'.repeat(140) })],
    ['CDS-32 summary cut in a character', changed({ summary: 'cut \ud83d' })],
    ['CDS-34 no indicator', changed({ indicator: undefined })],
    ['CDS-34 indicator success', changed({ indicator: 'success' })],
    ['CDS-35 empty source', changed({ source: {} })],
    ['CDS-35 relative url', changed({ source: { label: 'x', url: '/models' } })],
    ['CDS-36 topic without system', changed({ source: { label: 'x', topic: { code: 'x' } } })],
    ['CDS-37 suggestions without selectionBehavior', changed({ suggestions: [{ label: 'x' }] })],
    ['CDS-31 two cards of one uuid', { cards: [good.cards[0], good.cards[0]] }],
    ['CDS-33 HTML', changed({ detail: 'a <b>bold</b> word' })],
    ['CDS-37 selectionBehavior without suggestions', changed({ selectionBehavior: 'any' })],
    ['CDS-37 selectionBehavior all', changed({ suggestions: [suggestion], selectionBehavior: 'all' })],
    ['CDS-38 suggestion without label', suggesting({ label: undefined })],
    ['CDS-38 uuid that is none', suggesting({ uuid: 'one' })],
    ['CDS-38 uuid of the card', suggesting({ uuid: good.cards[0]?.uuid })],
    ['CDS-38 isRecommended in words', suggesting({ isRecommended: 'yes' })],
    [
      'CDS-38 two recommended of at most one',
      changed({
        suggestions: [
          { label: 'a', isRecommended: true },
          { label: 'b', isRecommended: true },
        ],
        selectionBehavior: 'at-most-one',
      }),
    ],
    ['CDS-39 action of no type', acting({ description: 'x', resource: draft })],
    ['CDS-39 action without description', acting({ type: 'create', resource: draft })],
    ['CDS-39 create of nothing', acting({ type: 'create', description: 'x' })],
    ['CDS-39 create of no resource', acting({ type: 'create', description: 'x', resource: { status: 'draft' } })],
    ['CDS-39 create under an id', acting({ type: 'create', description: 'x', resource: { ...draft, id: '1' } })],
    ['CDS-39 update of nobody knows what', acting({ type: 'update', description: 'x', resource: draft })],
    ['CDS-39 delete of nothing', acting({ type: 'delete', description: 'x' })],
    ['CDS-39 delete by URL', acting({ type: 'delete', description: 'x', resourceId: 'https://a.example/Task/1' })],
    ['CDS-39 delete of a whole resource', acting({ type: 'delete', description: 'x', resource: draft })],
    ['CDS-40 actionSelectionBehavior', suggesting({ actionSelectionBehavior: 'all' })],
    ['CDS-42 appContext for a page', linking({ type: 'absolute', appContext: 'x' })],
    ['CDS-42 appContext that is no text', linking({ appContext: { view: 'risk' } })],
    ['CDS-42 autolaunchable in words', linking({ autolaunchable: 'yes' })],
    ['CDS-42 relative address', linking({ url: '/app' })],
    ['CDS-43 system action without resource', { cards: [], systemActions: [{ type: 'create' }] }],
    ['CDS-43 system action that is none', { cards: [], systemActions: ['create'] }],
    ['CDS-5 empty suggestions', changed({ suggestions: [] })],
    ['CDS-5 null detail', changed({ detail: null })],
    ['CDS-41 override reason without display', changed({ overrideReasons: [{ system: 'x:y', code: 'x' }] })],
    ['CDS-42 link without type', changed({ links: [{ label: 'x', url: 'https://example.org' }] })],
    ['CDS-14 extension that is no object', changed({ extension: 'x' })],
  ])('refuses: %s', (_, response) => {
    expect(cdsResponseFindings(response)).not.toEqual([]);
  });
});
