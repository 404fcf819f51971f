import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readImagingFile } from '../../src/imaging/read-imaging-file.ts';
import type { PredictionError } from '../../src/platform/errors.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'imaging-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = path.join(folder, 'imaging.json');

async function read(value: unknown) {
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return await readImagingFile(file);
}

async function faultsOf(value: unknown): Promise<string[]> {
  const error = await read(value).then(
    () => undefined,
    (reason: PredictionError) => reason,
  );
  expect(error?.code).toBe('CONFIG_INVALID');
  return error?.message.split('\n') ?? [];
}

const pacs = { url: 'https://pacs.example.org/dicom-web' };

describe('IMAGING_FILE', () => {
  it('says nothing where it is not set', async () => {
    expect(await readImagingFile(undefined)).toBeUndefined();
  });

  it('DW-4: names servers by their bases, whatever stands behind them, and fills in what is not said', async () => {
    const settings = await read({
      servers: {
        pacs: {
          url: 'https://PACS.example.org:443/dicom-web/studies/',
          endpoints: ['http://pacs:8042/dicom-web/'],
          user: 'reader',
          passwordFile: 'pacs.txt',
        },
      },
      default: 'pacs',
      limits: { objectMb: 1 },
      quietPeriodSeconds: 5,
      patientIdentifiers: [{ issuer: 'HOSPITAL', system: 'urn:oid:1.2.3' }],
    });
    expect(settings).toEqual({
      servers: {
        pacs: {
          url: 'https://pacs.example.org/dicom-web',
          endpoints: ['http://pacs:8042/dicom-web'],
          allowPlainHttp: false,
          user: 'reader',
          passwordFile: path.join(folder, 'pacs.txt'),
          connections: 4,
        },
      },
      default: 'pacs',
      limits: {
        timeoutMs: 30_000,
        objectBytes: 1_000_000,
        metadataBytes: 100_000_000,
        studyBytes: 2_000_000_000,
        frames: 5_000,
        memoryBytes: 4_000_000_000,
      },
      quietPeriodMs: 5_000,
      patientIdentifiers: [{ issuer: 'HOSPITAL', system: 'urn:oid:1.2.3' }],
    });
  });

  it.each([
    ['no JSON', '{', 'is not JSON in UTF-8'],
    ['no server', {}, "lacks the field 'servers'"],
    ['servers that are none', { servers: {} }, '/servers must NOT have fewer than 1'],
    ['an unknown field', { servers: { pacs: { ...pacs, password: 'x' } } }, "unknown field 'password'"],
    ['a name in capitals', { servers: { PACS: pacs } }, "has the name 'PACS'"],
    ['a URL with a password', { servers: { pacs: { url: 'https://a:b@pacs.example.org' } } }, 'without user, password'],
    [
      'plain http to another machine',
      { servers: { pacs: { url: 'http://pacs.example.org' } } },
      'anybody between can read the images',
    ],
    [
      'a search over plain http',
      { servers: { pacs: { ...pacs, qidoUrl: 'http://pacs.example.org' } } },
      'anybody between',
    ],
    ['a default that is not declared', { servers: { pacs }, default: 'archive' }, "/default 'archive' is not declared"],
    [
      'a user without a password',
      { servers: { pacs: { ...pacs, user: 'a' } } },
      'needs user together with passwordFile',
    ],
    [
      'a password without a user',
      { servers: { pacs: { ...pacs, passwordFile: 'a' } } },
      'needs user together with passwordFile',
    ],
    [
      'two passwords',
      { servers: { pacs: { ...pacs, user: 'a', passwordFile: 'a', passwordVariable: 'A' } } },
      'more than one of passwordFile, passwordVariable',
    ],
    [
      'a user and a token',
      { servers: { pacs: { ...pacs, user: 'a', passwordFile: 'a', tokenFile: 'b' } } },
      'more than one of passwordFile, tokenFile',
    ],
    [
      'one address for two servers',
      { servers: { pacs, archive: { url: `${pacs.url}/studies` } } },
      "has an address of 'pacs'",
    ],
    [
      'one issuer for two systems',
      {
        servers: { pacs },
        patientIdentifiers: [
          { issuer: 'A', system: 'urn:a' },
          { issuer: 'A', system: 'urn:b' },
        ],
      },
      "names the issuer 'A' twice",
    ],
    ['a limit of nothing', { servers: { pacs }, limits: { objectMb: 0 } }, '/limits/objectMb must be >= 1'],
  ])('is refused with %s', async (_, value, fault) => {
    expect(await faultsOf(value)).toEqual([expect.stringContaining(fault)]);
  });

  it('sends no credentials over plain http to another machine, whatever it allows for images', async () => {
    const open = { url: 'http://pacs.example.org', allowPlainHttp: true };
    expect((await read({ servers: { pacs: open } }))?.servers.pacs?.allowPlainHttp).toBe(true);
    expect(await faultsOf({ servers: { pacs: { ...open, tokenFile: 'token' } } })).toEqual([
      expect.stringContaining('with credentials over http on another machine'),
    ]);
  });

  it('is refused where it cannot be read', async () => {
    await expect(readImagingFile(path.join(folder, 'none.json'))).rejects.toThrow('cannot be read (ENOENT)');
  });
});
