import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCohortSource } from '../../src/entrances/cohort/open-cohort-source.ts';
import { storePatientIndex } from '../../src/entrances/cohort/store-patient-index.ts';
import { type StartedFhirsight, startFhirsight } from '../support/start-fhirsight.ts';
import { ended, openTestRuns } from '../support/test-runs.ts';

const patients = 100_000;
const request = { model: 'prevent-base', cohort: { all: true } as const };

let server: StartedFhirsight;
beforeAll(async () => {
  server = await startFhirsight();
  await server.house.database.query(
    `insert into resources (tenant, type, id, version, last_updated, body)
     select 'default', 'Patient', 'p' || lpad(n::text, 6, '0'), 1, now(),
       json_build_object('resourceType', 'Patient', 'id', 'p' || lpad(n::text, 6, '0'))
     from generate_series(1, $1::int) as n`,
    [patients],
  );
}, 120_000);
afterAll(() => server.close());

describe(`a cohort of ${patients} patients`, () => {
  it('is read without gathering it in memory, cancelled at once, and listed by key to its end', async () => {
    const { house } = server;
    const cohorts = openCohortSource(storePatientIndex(house.repository, []), 'UTC');
    const runs = openTestRuns(house, { cohorts, chunkSize: 250, sliceSizeOf: () => 16 });
    const { run } = await runs.create(request, {});
    const before = process.memoryUsage().heapUsed;
    await runs.start();
    const { run: expanded } = await ended(runs, run.id, ['running', 'failed']);
    expect(expanded).toMatchObject({ state: 'running', members: patients });
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
    await runs.cancel(run.id);
    await ended(runs, run.id, ['cancelled']);
    await runs.close();

    const response = await fetch(`${server.url}/runs/${run.id}/members?format=csv`);
    let lines = 0;
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text = `${text}${chunk}`;
      const complete = text.split('\r\n');
      text = complete.pop() ?? '';
      lines += complete.length;
    }
    expect(lines).toBe(patients + 1);
  }, 120_000);
});
