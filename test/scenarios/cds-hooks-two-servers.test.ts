import type { Bundle } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callHook, cardPrediction, fullPrefetch, patientView } from '../support/cds-call.ts';
import { type PersonalValues, patientOne } from '../support/patient-one.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { type StubFhirServer, startStubFhirServer } from '../support/stub-fhir-server.ts';

/** Two people who are both Patient/1 where they live, with the same ids throughout. No value of one is one of the other. */
const people = {
  anna: {
    gender: 'female',
    birthDate: '1970-06-15',
    systolic: 131.07,
    totalCholesterol: 201.07,
    hdlCholesterol: 51.07,
    bodyMassIndex: 24.07,
    creatinine: 0.711,
  },
  bert: {
    gender: 'male',
    birthDate: '1961-03-04',
    systolic: 152.09,
    totalCholesterol: 243.09,
    hdlCholesterol: 39.09,
    bodyMassIndex: 31.09,
    creatinine: 1.109,
  },
} as const satisfies Record<string, PersonalValues>;
type Person = keyof typeof people;
const other: Readonly<Record<Person, Person>> = { anna: 'bert', bert: 'anna' };

const servers = new Map<Person, StubFhirServer>();
let fhirsight: StartedFhirsight;

beforeAll(async () => {
  for (const person of ['anna', 'bert'] as const)
    servers.set(person, await startStubFhirServer({ resources: patientOne(people[person]) }));
  fhirsight = await startFhirsight({
    clock: { now: () => new Date('2026-03-01T12:00:00Z') },
    settings: {
      CDS_FHIR_SERVERS: [...servers.values()].map(({ base }) => base).join(','),
      CDS_DEADLINE_MS: '30000',
    },
  });
});
afterAll(async () => {
  await fhirsight?.close();
  for (const server of servers.values()) await server.close();
});

function stub(person: Person): StubFhirServer {
  const server = servers.get(person);
  if (server === undefined) throw new Error(`${person} has no server`);
  return server;
}

/** What the client of `person` has of the results: two, and a link to the others at `server`, where pages have the same names. */
async function firstPage(person: Person, server: Person): Promise<Bundle> {
  const page = async (of: Person): Promise<Bundle> => {
    const headers = { authorization: `Bearer token-of-${of}-client` };
    return (await (await fetch(`${stub(of).base}/Observation?patient=1&_count=2`, { headers })).json()) as Bundle;
  };
  const { link } = await page(server);
  return { ...(await page(person)), link };
}

/** What a call brings along: nothing, a part of the keys, or a first page whose next one is at its own server, or at the other. */
const brings = ['nothing', 'keys', 'page', 'page-of-the-other'] as const;

async function prefetchOf(
  person: Person,
  brought: (typeof brings)[number],
): Promise<Record<string, unknown> | undefined> {
  const { observations, ...rest } = fullPrefetch(patientOne(people[person]));
  if (brought === 'nothing') return undefined;
  if (brought === 'keys') return person === 'anna' ? rest : { observations };
  return { ...rest, observations: await firstPage(person, brought === 'page' ? person : other[person]) };
}

describe('two FHIR servers with the same Patient/1', () => {
  it('CDS-15 CDS-25: 100 interleaved hooks never cross: values, pages, tokens, subjects, identifiers', async () => {
    const calls = Array.from({ length: 100 }, (_, index) => ({
      person: index % 2 === 0 ? ('anna' as const) : ('bert' as const),
      // Three of four calls bring a part of the prefetch along, and so mix what is held with what is asked.
      brought: brings[Math.floor(index / 2) % brings.length] ?? 'nothing',
      token: `token-of-${index % 2 === 0 ? 'anna' : 'bert'}-${index}`,
    }));
    const waiting = [...calls];
    const answered: { person: Person; score: number; result: string; detail: string; card: string }[] = [];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { person, brought, token } = next;
        const prefetch = await prefetchOf(person, brought);
        const body = patientView({
          patient: '1',
          fhirServer: stub(person).base,
          token,
          ...(prefetch === undefined ? {} : { prefetch }),
        });
        const answer = await callHook(fhirsight.url, 'prevent-base', body);
        const { score = Number.NaN, result = '' } = cardPrediction(answer);
        const [{ uuid, detail }] = answer.body.cards;
        answered.push({ person, score, result, detail, card: uuid });
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));

    const identifiers = new Map<Person, ReadonlySet<string>>();
    for (const person of ['anna', 'bert'] as const) {
      const mine = answered.filter((one) => one.person === person);
      expect(mine).toHaveLength(50);
      expect(new Set(mine.map(({ score }) => score)).size).toBe(1);
      identifiers.set(person, new Set(mine.map(({ result }) => result)));
      for (const { detail } of mine) {
        expect(detail).toContain(String(people[person].systolic));
        for (const value of [people[other[person]].systolic, people[other[person]].totalCholesterol])
          expect(detail).not.toContain(String(value));
      }
      const { rows } = await fhirsight.house.database.query<{ fhir_base: string; subject_id: string; card: string }>(
        'select distinct fhir_base, subject_id from prediction_log where card = any($1::text[])',
        [mine.map(({ card }) => card)],
      );
      expect(rows).toEqual([{ fhir_base: stub(person).base, subject_id: '1' }]);
      const tokens = stub(person).requests.map(({ headers }) => headers.authorization ?? 'none');
      expect(tokens.length).toBeGreaterThan(50);
      // Those that a client's first page led to.
      expect(stub(person).requests.filter(({ url }) => url.includes('page=')).length).toBeGreaterThan(12);
      expect(tokens.filter((sent) => !sent.startsWith(`Bearer token-of-${person}-`))).toEqual([]);
    }
    expect(new Set(answered.map(({ score }) => score)).size).toBe(2);
    expect([...(identifiers.get('anna') ?? [])].filter((one) => identifiers.get('bert')?.has(one))).toEqual([]);
    expect(new Set([...identifiers.values()].flatMap((set) => [...set])).size).toBe(2);
  });
});
