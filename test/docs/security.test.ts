import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAccessFile } from '../../src/http/access/read-access-file.ts';
import { blocksOf } from '../support/markdown-blocks.ts';

describe('docs/security.md', () => {
  it('shows an access file that the server reads', async () => {
    const [example, ...more] = blocksOf('docs/security.md').filter(({ mark }) => mark?.value === 'access-file');
    expect(more).toEqual([]);
    const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-access-'));
    try {
      const file = path.join(folder, 'access.json');
      await writeFile(file, example?.text ?? '');
      expect((await readAccessFile(file)).clients.map(({ clientId }) => clientId)).toEqual([
        'ward-dashboard',
        'model-office',
        'it-operations',
        'privacy-office',
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('CDS-65: shows CDS clients, in the guide of CDS Hooks, that the server reads', async () => {
    const [example, ...more] = blocksOf('docs/cds-hooks.md').filter(({ mark }) => mark?.value === 'cds-clients');
    expect(more).toEqual([]);
    const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-access-'));
    try {
      const file = path.join(folder, 'access.json');
      await writeFile(file, example?.text ?? '');
      expect((await readAccessFile(file)).cdsClients.map(({ name }) => name)).toEqual(['north-hospital', 'clinics']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
