import { describe, expect, test } from 'vitest';
import { parseFeedback } from '../../../src/entrances/cds-hooks/parse-feedback.ts';
import { PredictionError } from '../../../src/platform/errors.ts';
import { countedList } from '../../support/counted-list.ts';

const card = 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea';
const suggestion = '23f1a303-991f-4118-86c5-11d99a39222e';
const overridden = { card, outcome: 'overridden', outcomeTimestamp: '2026-03-01T08:00:00Z' };
const accepted = { ...overridden, outcome: 'accepted', acceptedSuggestions: [{ id: suggestion }] };

function refusal(body: unknown): PredictionError {
  try {
    parseFeedback(body);
  } catch (error) {
    if (error instanceof PredictionError && error.code === 'PARAMETER_INVALID') return error;
    throw error;
  }
  throw new Error('the feedback was accepted');
}

describe('feedback', () => {
  test('CDS-50 CDS-51 is a list of what became of cards', () => {
    expect(parseFeedback({ feedback: [overridden, accepted] })).toEqual([
      { card, outcome: 'overridden', outcomeAt: new Date('2026-03-01T08:00:00Z'), acceptedSuggestions: [] },
      { card, outcome: 'accepted', outcomeAt: new Date('2026-03-01T08:00:00Z'), acceptedSuggestions: [suggestion] },
    ]);
  });

  test('CDS-51 CDS-52 may say why, by a code with or without display, in words, or both', () => {
    const reason = { system: 'http://example.org/reasons', code: 'inappropriate' };
    const why = (overrideReason: unknown) => parseFeedback({ feedback: [{ ...overridden, overrideReason }] })[0];
    expect(why({ reason })).toMatchObject({ reason });
    expect(why({ reason: { ...reason, display: 'Inappropriate' } })?.reason?.display).toBe('Inappropriate');
    expect(why({ userComment: 'not now' })).toMatchObject({ comment: 'not now' });
  });

  test('the card is known in any case, and the instant in any zone', () => {
    const [item] = parseFeedback({
      feedback: [{ ...overridden, card: card.toUpperCase(), outcomeTimestamp: '2026-03-01T09:00:00.250+01:00' }],
    });
    expect(item).toMatchObject({ card, outcomeAt: new Date('2026-03-01T08:00:00.250Z') });
  });

  test.each([
    ['a bare item', overridden, 'feedback'],
    ['no item', { feedback: [] }, 'feedback'],
    ['null', { feedback: null }, 'feedback'],
    ['no card', { feedback: [{ ...overridden, card: undefined }] }, 'feedback[0].card'],
    ['a card that is no UUID', { feedback: [{ ...overridden, card: '17' }] }, 'feedback[0].card'],
    ['no outcome', { feedback: [accepted, { ...overridden, outcome: undefined }] }, 'feedback[1].outcome'],
    ['another outcome', { feedback: [{ ...overridden, outcome: 'ignored' }] }, 'feedback[0].outcome'],
    ['no timestamp', { feedback: [{ ...overridden, outcomeTimestamp: undefined }] }, 'outcomeTimestamp'],
    ['a date', { feedback: [{ ...overridden, outcomeTimestamp: '2026-03-01' }] }, 'outcomeTimestamp'],
    ['no zone', { feedback: [{ ...overridden, outcomeTimestamp: '2026-03-01T08:00:00' }] }, 'outcomeTimestamp'],
    ['no such day', { feedback: [{ ...overridden, outcomeTimestamp: '2026-02-30T08:00:00Z' }] }, 'outcomeTimestamp'],
    ['accepted without what', { feedback: [{ ...accepted, acceptedSuggestions: undefined }] }, 'acceptedSuggestions'],
    ['accepted nothing', { feedback: [{ ...accepted, acceptedSuggestions: [] }] }, 'acceptedSuggestions'],
    [
      'accepted what has no UUID',
      { feedback: [{ ...accepted, acceptedSuggestions: [{ id: '17' }] }] },
      'acceptedSuggestions',
    ],
    ['overridden with what', { feedback: [{ ...accepted, outcome: 'overridden' }] }, 'acceptedSuggestions'],
    ['an empty reason', { feedback: [{ ...overridden, overrideReason: {} }] }, 'overrideReason'],
    ['a comment that is no text', { feedback: [{ ...overridden, overrideReason: { userComment: 7 } }] }, 'userComment'],
    ['a reason without system', { feedback: [{ ...overridden, overrideReason: { reason: { code: 'x' } } }] }, 'reason'],
  ])('is refused as a whole: %s', (_, body, place) => {
    const { message, issues } = refusal(body);
    expect(`${message} ${issues[0]?.expression}`).toContain(place);
  });

  test.each([
    ['a NUL', 'a\0b'],
    ['a control character', 'a\u001bb'],
    ['half a character', 'a\ud800b'],
    ['more than 4,000 characters', 'x'.repeat(4_001)],
  ])('that no database holds is refused, not failed: a comment with %s', (_, userComment) => {
    const { issues } = refusal({ feedback: [{ ...overridden, overrideReason: { userComment } }] });
    expect(issues[0]?.expression).toBe('feedback[0].overrideReason.userComment');
  });

  test('a comment may have lines and tabs', () => {
    const overrideReason = { userComment: 'one\r\n\ttwo' };
    expect(parseFeedback({ feedback: [{ ...overridden, overrideReason }] })[0]?.comment).toBe('one\r\n\ttwo');
  });

  test.each(['system', 'code', 'display'])('that no database holds is refused: a NUL in the %s of a reason', (name) => {
    const reason = { system: 'http://example.org/reasons', code: 'x', display: 'X', [name]: 'a\0b' };
    const { issues } = refusal({ feedback: [{ ...overridden, overrideReason: { reason } }] });
    expect(issues[0]?.expression).toBe(`feedback[0].overrideReason.reason.${name}`);
  });

  test.each(['0001-01-01T00:00:00+14:00', '1899-12-31T23:59:59Z', '2201-01-01T00:00:00Z', '9999-12-31T23:59:59-14:00'])(
    'is refused for an instant that lies outside every database and every life: %s',
    (outcomeTimestamp) => {
      expect(refusal({ feedback: [{ ...overridden, outcomeTimestamp }] }).message).toContain('1900 to 2200');
    },
  );

  test.each([
    ['zeros', 0],
    ['empty items', {}],
  ])('a million %s are refused without a look at them', (_, item) => {
    const items = countedList(1_000_000, item);
    expect(refusal({ feedback: items.list }).message).toBe('feedback must hold at most 1000 entries.');
    expect(items.reads()).toBeLessThan(10);
  });
});
