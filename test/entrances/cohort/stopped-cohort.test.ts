import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpPatientIndex } from '../../../src/entrances/cohort/http-patient-index.ts';
import { storePatientIndex } from '../../../src/entrances/cohort/store-patient-index.ts';
import { createFhirClient } from '../../../src/fhir/client/fhir-client.ts';
import { outboundTo } from '../../support/outbound-to.ts';
import { scorablePatient } from '../../support/scorable-patient.ts';
import { type StartedFhirsight, startFhirsight } from '../../support/start-fhirsight.ts';

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight();
  await server.house.repository.writeAll(scorablePatient('1'));
});
afterAll(() => server.close());

async function idsOf(pages: AsyncIterable<readonly string[]>): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of pages) ids.push(...page);
  return ids;
}

describe('a cohort that is stopped while it is read', () => {
  it('throws instead of ending, whoever is asked: it would be taken for a whole one with nobody in it', async () => {
    const client = createFhirClient({
      base: server.fhir,
      outbound: outboundTo(server.fhir),
      timeoutMs: 5_000,
      maxResources: 1_000,
    });
    for (const index of [storePatientIndex(server.house.repository, []), httpPatientIndex(client)]) {
      for (const read of [
        (signal: AbortSignal) => index.allPatients(signal),
        (signal: AbortSignal) => index.searchPatients([['_id', '1']], signal),
      ]) {
        expect(await idsOf(read(new AbortController().signal))).toEqual(['1']);
        await expect(idsOf(read(AbortSignal.abort()))).rejects.toThrow();
      }
    }
    await client.close();
  });
});
