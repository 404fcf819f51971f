import { randomUUID } from 'node:crypto';
import type { DiagnosticReport } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StoreContext, storeContext } from '../../src/fhir/store/store-context.ts';
import { deleteResource, updateResource } from '../../src/fhir/store/write-resource.ts';
import { createResourceValidator } from '../../src/fhir/validate-resource.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { buildResult } from '../../src/results/build-result.ts';
import { saveOutcomes } from '../../src/write-back/outcome-table.ts';
import { readReport } from '../../src/write-back/read-report.ts';
import { metaWithSupersededTag } from '../../src/write-back/superseded-tag.ts';
import { outcomeBase, scoredRecord } from '../support/outcome-record.ts';
import { reportRequest } from '../support/report-request.ts';
import { openTestDatabase, type TestDatabase } from '../support/test-database.ts';

let opened: TestDatabase;
/** The store as a client reaches it. */
let client: StoreContext;
const made = { ...(buildResult(reportRequest()) as DiagnosticReport), id: 'r1' };
const picture = { resourceType: 'Media', id: 'picture', status: 'completed', content: { data: 'AAAA' } } as const;
const report: DiagnosticReport = {
  ...made,
  contained: [...(made.contained ?? []).filter(({ resourceType }) => resourceType !== 'Media'), picture],
  media: [{ link: { reference: '#picture' } }],
};
const outcome = {
  ...scoredRecord('s1'),
  resourceType: 'DiagnosticReport' as const,
  resourceId: 'r1',
  resourceVersion: 1,
};

beforeAll(async () => {
  opened = await openTestDatabase();
  const validator = createResourceValidator();
  const { database } = opened;
  client = storeContext({
    baseUrl: outcomeBase,
    clock: systemClock,
    newId: randomUUID,
    timeZone: 'UTC',
    validator,
    database,
    tenant: 'default',
  });
  await updateResource(client, report);
  await saveOutcomes(database, 'default', [outcome], []);
});
afterAll(() => opened.close());

const read = () => readReport(opened.database, outcome);

it('of a report is read what a card shows, and none of its pictures or pages', async () => {
  const found = await read();
  expect(found?.tampered).toBe(false);
  expect(found?.report).toMatchObject({
    id: 'r1',
    resourceType: 'DiagnosticReport',
    status: report.status,
    text: report.text,
    meta: { versionId: '1' },
  });
  const types = (found?.report.contained ?? []).map(({ resourceType }) => resourceType);
  expect(types).toContain('Observation');
  expect(types).not.toContain('Media');
  expect(found?.report).not.toHaveProperty('presentedForm');
});

it('RA-7: a report that says anything else than was made is known as changed, also where only a picture or its page is another', async () => {
  const otherPicture = { ...picture, content: { data: 'BBBB' } };
  const others = (report.contained ?? []).filter(({ resourceType }) => resourceType !== 'Media');
  for (const changed of [
    { ...report, status: 'final' as const },
    { ...report, contained: [...others, otherPicture] },
    { ...report, presentedForm: [{ contentType: 'text/html', data: 'AAAA' }] },
  ]) {
    await updateResource(client, changed);
    expect((await read())?.tampered).toBe(true);
  }
  await updateResource(client, report);
  expect((await read())?.tampered).toBe(false);
});

it('RA-7: a report that is superseded, or was deleted, says nothing', async () => {
  await updateResource(client, { ...report, meta: metaWithSupersededTag(report.meta ?? {}, true) });
  expect(await read()).toBeUndefined();
  await updateResource(client, report);
  await deleteResource(client, 'DiagnosticReport', 'r1');
  expect(await read()).toBeUndefined();
  expect(await readReport(opened.database, scoredRecord('s2'))).toBeUndefined();
});
