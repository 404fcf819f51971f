import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { feedbackLine } from '../../src/entrances/feedback/feedback-line.ts';
import { suggestionUuid } from '../../src/model-catalog/cds-cards/suggestion-uuid.ts';
import { type CdsFeedback, readFeedback, storeFeedback } from '../../src/monitoring/cds-feedback.ts';
import { readFeedbackRates } from '../../src/monitoring/feedback-rates.ts';
import { holdBack } from '../../src/monitoring/held-cards.ts';
import { sealClearWords } from '../../src/monitoring/sealed-words.ts';
import { createValuesCipher, parseKeys } from '../../src/platform/values-cipher.ts';
import { testCipher as cipher } from '../support/test-cipher.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

let opened: TestDatabase;
beforeAll(async () => {
  opened = await openTestDatabase();
});
afterAll(() => opened.close());

const held = {
  user: 'Practitioner/7',
  subject: { base: 'https://ehr.example/fhir', id: '17' },
  hook: 'patient-view',
  outcome: 'ascvd-10y',
  said: 'warning: high',
  heldForMs: 3_600_000,
};
const receivedAt = new Date('2026-03-02T10:00:00Z');
const always = { from: new Date('2000-01-01T00:00:00Z'), to: new Date('2100-01-01T00:00:00Z') };

function answer(change: Partial<CdsFeedback> = {}): CdsFeedback {
  return {
    card: randomUUID(),
    outcome: 'overridden',
    outcomeAt: new Date('2026-03-02T09:00:00Z'),
    acceptedSuggestions: [],
    ...change,
  };
}

async function logged(tenant: string, card: string, service: string): Promise<void> {
  await opened.database.query(
    `insert into prediction_log (id, tenant, recorded, entrance, request_id, user_ref, service, card, encounter_id, model_id,
       model_version, model_digest, result, state, what_if, total_ms)
     values ($1, $2, $3, 'cds-hooks', 'request-1', 'Practitioner/7', $4, $5, 'visit', 'prevent-base', '1.0.0', 'abc', 'result-1',
       'scored', false, 1)`,
    [randomUUID(), tenant, receivedAt, service, card],
  );
}

describe('feedback on cards', () => {
  const words = { system: 'https://ehr.example/reasons', code: 'r1', display: 'Zqwords of the reason' };

  test('DSI-42 holds what was written sealed, and in no column in the clear', async () => {
    const item = answer({ comment: 'Zqwords of the clinician', reason: words });
    const to = { tenant: 'sealed', service: 's', receivedAt, cipher };
    expect((await storeFeedback(opened.database, to, [item])).wordsNotKept).toBe(0);
    const { rows } = await opened.database.query("select * from cds_feedback where tenant = 'sealed'");
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('Zqwords');
    expect(await readFeedback(opened.database, to, always)).toMatchObject([item]);
  });

  test('DSI-42 without a key keeps an answer without what was written, and says so', async () => {
    const item = answer({ comment: 'Zqwords of the clinician', reason: words });
    const to = { tenant: 'keyless', service: 's', receivedAt, cipher: undefined };
    expect((await storeFeedback(opened.database, to, [item, answer()])).wordsNotKept).toBe(2);
    const kept = await readFeedback(opened.database, { tenant: 'keyless', cipher }, always);
    expect(kept.map(({ comment, reason }) => [comment, reason])).toContainEqual([
      undefined,
      { system: words.system, code: words.code },
    ]);
    expect(kept).toHaveLength(2);
  });

  test('DSI-42 says of a comment whose key is another that it is sealed, and with which', async () => {
    const item = answer({ comment: 'Zqwords of the clinician', reason: words });
    const to = { tenant: 'other-key', service: 's', receivedAt, cipher };
    await storeFeedback(opened.database, to, [item]);
    for (const other of [undefined, createValuesCipher(parseKeys('the test', `k9:${'A'.repeat(43)}=`))]) {
      const [kept] = await readFeedback(opened.database, { tenant: 'other-key', cipher: other }, always);
      expect(kept).toMatchObject({ commentSealedWith: 'k1', reason: { code: 'r1' } });
      expect(kept?.comment).toBeUndefined();
      const line = kept && feedbackLine(kept, () => undefined, true);
      expect(line).toMatchObject({ comment: '(sealed with the key k1, which is not set here)', user_feedback: 'r1' });
    }
  });

  test('a sealed comment opens in no other row', async () => {
    const to = { tenant: 'moved', service: 's', receivedAt, cipher };
    const [from, into] = [answer({ comment: 'of this card' }), answer()];
    await storeFeedback(opened.database, to, [from, into]);
    await opened.database.query(
      `update cds_feedback set user_comment = (select user_comment from cds_feedback where tenant = 'moved' and card = $1)
       where tenant = 'moved' and card = $2`,
      [from.card, into.card],
    );
    await expect(readFeedback(opened.database, to, always)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('what an older release kept in the clear is read as it is, and sealed once there is a key', async () => {
    const to = { tenant: 'old', service: 's', receivedAt, cipher };
    const items = [answer({ comment: 'a' }), answer({ reason: words }), answer()];
    await storeFeedback(opened.database, to, items);
    await opened.database.query(
      `update cds_feedback set user_comment = case when user_comment is null then null else 'sealed by hand: Zqold' end,
         reason_display = case when reason_display is null then null else 'Zqold' end where tenant = 'old'`,
    );
    const read = async (): Promise<unknown[]> =>
      (await readFeedback(opened.database, to, always)).map(({ comment, reason }) => comment ?? reason?.display).sort();
    const before = await read();
    expect(before).toEqual(['Zqold', 'sealed by hand: Zqold', undefined]);
    expect(await sealClearWords(opened.database, 'old', cipher)).toBe(2);
    const { rows } = await opened.database.query("select * from cds_feedback where tenant = 'old'");
    expect(JSON.stringify(rows)).not.toContain('Zqold');
    expect(await read()).toEqual(before);
    expect(await sealClearWords(opened.database, 'old', cipher)).toBe(0);
  });

  test('CDS-53 is kept once, however often it is reported, and the last report counts', async () => {
    const { database } = opened;
    const to = { tenant: 'once', service: 'prevent-base', receivedAt, cipher };
    const item = answer({ comment: 'first' });
    await storeFeedback(database, to, [item, { ...item, comment: 'second' }]);
    await storeFeedback(database, { ...to, receivedAt: new Date('2026-03-02T11:00:00Z') }, [
      { ...item, comment: 'third' },
    ]);
    const kept = await readFeedback(database, { tenant: 'once', cipher }, always);
    expect(kept).toEqual([
      { ...item, comment: 'third', service: 'prevent-base', receivedAt: new Date('2026-03-02T11:00:00Z') },
    ]);
  });

  test('CDS-53 of one card may come several times, at several instants', async () => {
    const item = answer({ reason: { system: 'http://example.org/x', code: 'y' } });
    const later = { ...item, outcome: 'accepted' as const, acceptedSuggestions: [randomUUID()] };
    const again = { ...item, outcomeAt: new Date('2026-03-02T09:30:00Z') };
    await storeFeedback(opened.database, { tenant: 'several', service: 's', receivedAt, cipher }, [item, later, again]);
    const kept = await readFeedback(opened.database, { tenant: 'several', cipher }, always);
    expect(kept.map(({ outcome }) => outcome)).toEqual(['accepted', 'overridden', 'overridden']);
    expect(kept[0]?.acceptedSuggestions).toEqual(later.acceptedSuggestions);
    expect(kept[1]?.reason).toEqual(item.reason);
  });

  test('is joined by the card to user, encounter and model version', async () => {
    const known = answer();
    await logged('joined', known.card, 'prevent-base');
    const unknown = answer({ outcomeAt: new Date('2026-03-02T09:01:00Z') });
    const stored = await storeFeedback(
      opened.database,
      { tenant: 'joined', service: 'prevent-base', receivedAt, cipher },
      [known, unknown],
    );
    expect(stored).toEqual({
      unknownCards: 1,
      unknownSuggestions: 0,
      wordsNotKept: 0,
      added: [{ outcome: 'overridden', model: { id: 'prevent-base', version: '1.0.0' } }, { outcome: 'overridden' }],
    });
    const [first, second] = await readFeedback(opened.database, { tenant: 'joined', cipher }, always);
    expect(first?.prediction).toEqual({
      user: 'Practitioner/7',
      encounter: 'visit',
      model: 'prevent-base',
      version: '1.0.0',
      digest: 'abc',
      result: 'result-1',
    });
    expect(second?.prediction).toBeUndefined();
  });

  test('of another tenant or of another service is not joined, and another tenant is not read', async () => {
    const item = answer();
    await logged('elsewhere', item.card, 'prevent-base');
    await storeFeedback(opened.database, { tenant: 'here', service: 'prevent-base', receivedAt, cipher }, [item]);
    await storeFeedback(opened.database, { tenant: 'elsewhere', service: 'pce-2013', receivedAt, cipher }, [item]);
    expect(
      (await readFeedback(opened.database, { tenant: 'here', cipher }, always)).map(({ prediction }) => prediction),
    ).toEqual([undefined]);
    expect(
      (await readFeedback(opened.database, { tenant: 'elsewhere', cipher }, always))[0]?.prediction,
    ).toBeUndefined();
  });

  test('is read by the time of the answer', async () => {
    const item = answer({ outcomeAt: new Date('2026-01-01T00:00:00Z') });
    await storeFeedback(opened.database, { tenant: 'period', service: 's', receivedAt, cipher }, [item]);
    const at = (from: string, to: string) =>
      readFeedback(opened.database, { tenant: 'period', cipher }, { from: new Date(from), to: new Date(to) });
    expect(await at('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z')).toHaveLength(1);
    expect(await at('2025-01-01T00:00:00Z', '2026-01-01T00:00:00Z')).toEqual([]);
  });

  test('CDS-51 tells suggestions of the card from others, which are kept and counted', async () => {
    const card = randomUUID();
    await logged('suggested', card, 's');
    const acceptedSuggestions = [suggestionUuid(card, 2), randomUUID()];
    const item = answer({ card, outcome: 'accepted', acceptedSuggestions });
    const unknown = answer({ outcome: 'accepted', acceptedSuggestions: [randomUUID()] });
    const to = { tenant: 'suggested', service: 's', receivedAt, cipher };
    expect(await storeFeedback(opened.database, to, [item, unknown])).toMatchObject({
      unknownCards: 1,
      unknownSuggestions: 1,
    });
    const kept = await readFeedback(opened.database, { tenant: 'suggested', cipher }, always);
    expect(kept.find((one) => one.card === card)?.acceptedSuggestions).toEqual(acceptedSuggestions);
  });

  test('CDS-53 counts an answer as new once, however often it is reported', async () => {
    const to = { tenant: 'counted', service: 's', receivedAt, cipher };
    const item = answer();
    expect((await storeFeedback(opened.database, to, [item])).added).toHaveLength(1);
    expect((await storeFeedback(opened.database, to, [item, answer()])).added).toHaveLength(1);
  });

  test('DSI-42 is read page by page, each answer once, also of one instant', async () => {
    const items = Array.from({ length: 7 }, () => answer());
    await storeFeedback(opened.database, { tenant: 'paged', service: 's', receivedAt, cipher }, items);
    const read: string[] = [];
    let after: Awaited<ReturnType<typeof readFeedback>>[number] | undefined;
    do {
      const page = await readFeedback(opened.database, { tenant: 'paged', cipher }, always, { count: 3, after });
      read.push(...page.map(({ card }) => card));
      after = page.at(-1);
    } while (after !== undefined);
    expect(read).toEqual(items.map(({ card }) => card).sort());
  });
});

describe('rates of acceptance and override', () => {
  test('are given by service, version and reason, with the cards that were held back', async () => {
    const { database } = opened;
    const to = { tenant: 'rates', service: 's', receivedAt, cipher };
    const cards = Array.from({ length: 4 }, () => randomUUID());
    for (const card of cards) await logged('rates', card, 's');
    const [first = '', second = '', third = '', fourth = ''] = cards;
    const palliative = { system: 'https://hospital.example/reasons', code: 'palliative' };
    await storeFeedback(database, to, [
      answer({ card: first, outcome: 'accepted' }),
      answer({ card: second, reason: palliative }),
      answer({ card: third, reason: { ...palliative, display: 'In other words' } }),
      answer({ card: fourth }),
      // Of a card that is answered twice the later answer counts.
      answer({ card: first, outcomeAt: new Date('2026-03-02T08:00:00Z'), reason: palliative }),
      answer({ outcome: 'accepted' }),
    ]);
    const card = { ...held, service: 's', model: { id: 'prevent-base', version: '1.0.0', digest: 'abc' } };
    for (const each of [1, 2, 3])
      await holdBack(database, { tenant: 'rates', at: receivedAt }, { ...card, card: `card-${each}` });
    const rates = await readFeedbackRates(database, 'rates', always);
    expect(rates).toEqual([
      {
        service: 's',
        model: 'prevent-base',
        version: '1.0.0',
        answered: 4,
        accepted: 1,
        overridden: 3,
        acceptanceRate: 0.25,
        overrideRate: 0.75,
        heldBack: 2,
        reasons: [
          { ...palliative, overridden: 2, share: 2 / 3 },
          { overridden: 1, share: 1 / 3 },
        ],
      },
      {
        service: 's',
        answered: 1,
        accepted: 1,
        overridden: 0,
        acceptanceRate: 1,
        overrideRate: 0,
        heldBack: 0,
        reasons: [],
      },
    ]);
  });

  test('are none of another tenant and of another time', async () => {
    await storeFeedback(opened.database, { tenant: 'rates-a', service: 's', receivedAt, cipher }, [answer()]);
    expect(await readFeedbackRates(opened.database, 'rates-b', always)).toEqual([]);
    const past = { from: new Date('2025-01-01T00:00:00Z'), to: new Date('2025-02-01T00:00:00Z') };
    expect(await readFeedbackRates(opened.database, 'rates-a', past)).toEqual([]);
  });
});
