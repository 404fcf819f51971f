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
    ['CDS-5 empty suggestions', changed({ suggestions: [] })],
    ['CDS-5 null detail', changed({ detail: null })],
    ['CDS-41 override reason without display', changed({ overrideReasons: [{ system: 'x:y', code: 'x' }] })],
    ['CDS-42 link without type', changed({ links: [{ label: 'x', url: 'https://example.org' }] })],
    ['CDS-14 extension that is no object', changed({ extension: 'x' })],
  ])('refuses: %s', (_, response) => {
    expect(cdsResponseFindings(response)).not.toEqual([]);
  });
});
