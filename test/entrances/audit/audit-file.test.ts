import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuditFile } from '../../../src/entrances/audit/audit-file.ts';
import { createAccessLog } from '../../../src/monitoring/access-log.ts';
import type { LogEvent } from '../../../src/platform/events.ts';
import { openTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const fhirBase = 'http://127.0.0.1:8080/fhir/R4';
let opened: TestDatabase;
let folder: string;
beforeAll(async () => {
  opened = await openTestDatabase();
  folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-audit-file-'));
});
afterAll(async () => {
  await opened?.close();
  await rm(folder, { recursive: true, force: true });
});

async function happened(tenant: string, count: number): Promise<string[]> {
  const log = createAccessLog({ database: opened.database, event: () => undefined });
  const ids = Array.from({ length: count }, () => randomUUID());
  log.keep(
    ids.map((id) => ({
      id,
      tenant,
      recorded: new Date('2026-03-01T10:00:00Z'),
      request_id: 'r',
      way: 'http',
      client: 'EHR',
      client_key: 'ehr',
      user_ref: 'Practitioner/17',
      proved_by: 'access-token',
      action: 'R',
      interaction: 'read',
      route: '/fhir/R4/:type/:id',
      fhir_base: fhirBase,
      resource_type: 'Patient',
      resource_id: '17',
      subject_id: '17',
      query: null,
      status: 200,
      error_code: null,
      total_ms: 1,
    })),
  );
  await log.close();
  await allBeforeEnded(tenant);
  return ids;
}

/** On a server with other databases, as that of the suite, transactions there hold back what is written too. */
async function allBeforeEnded(tenant: string): Promise<void> {
  const ended = async (): Promise<boolean | undefined> => {
    const { rows } = await opened.database.query<{ ended: boolean }>(
      'select pg_snapshot_xmin(pg_current_snapshot()) > max(xact) as ended from access_log where tenant = $1',
      [tenant],
    );
    return rows[0]?.ended;
  };
  await expect.poll(ended, { timeout: 45_000 }).toBe(true);
}

function auditFile(tenant: string, file: string, event: (event: LogEvent) => void = () => undefined) {
  const frame = { fhirBase, own: [fhirBase] };
  return createAuditFile({ file, database: opened.database, tenant, frame, event });
}

async function idsIn(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line)).map(({ resourceType, id }) => (resourceType === 'AuditEvent' ? id : ''));
}

describe('AUDIT_FILE', () => {
  it('gets every event once as a line of JSON, across restarts and rotations', async () => {
    const [file, rotated] = [path.join(folder, 'audit.ndjson'), path.join(folder, 'audit.1')];
    const first = await happened('once', 1_200);
    await auditFile('once', file).close();
    expect((await idsIn(file)).sort()).toEqual([...first].sort());
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await rename(file, rotated);
    const second = await happened('once', 3);
    await auditFile('once', file).close();
    expect((await idsIn(file)).sort()).toEqual([...second].sort());
    expect(await idsIn(rotated)).toHaveLength(1_200);
  });

  it('goes on after a restore into a cluster that counts its transactions anew, and says so once', async () => {
    const file = path.join(folder, 'restored.ndjson');
    const before = await happened('restored', 3);
    await auditFile('restored', file).close();
    const far = JSON.stringify({ xact: '9000000000', id: before[0] });
    await opened.database.query(`update settings_kv set value = $1::json where tenant = 'restored'`, [far]);
    const after = await happened('restored', 2);
    const events: LogEvent[] = [];
    for (let times = 0; times < 2; times += 1)
      await auditFile('restored', file, (event) => void events.push(event)).close();
    expect(events).toEqual([{ name: 'audit-file.begun-anew' }]);
    expect((await idsIn(file)).sort()).toEqual([...before, ...before, ...after].sort());
  });

  it('misses nothing while it cannot be written, and says so', async () => {
    const file = path.join(folder, 'full.ndjson');
    const ids = await happened('full', 2);
    const events: LogEvent[] = [];
    await auditFile('full', path.join(folder, 'no', 'such', 'folder'), (event) => void events.push(event)).close();
    expect(events).toMatchObject([{ name: 'audit-file.failed' }]);
    await auditFile('full', file).close();
    expect((await idsIn(file)).sort()).toEqual([...ids].sort());
  });
});
