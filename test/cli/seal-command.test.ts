import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sealCommand } from '../../src/cli/seal-command.ts';
import { readModelFolder } from '../../src/model-catalog/read-models.ts';
import { shippedModels } from '../support/model-folder.ts';

const root = mkdtempSync(path.join(tmpdir(), 'fhirsight-seal-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let copies = 0;
function copyOf(model: string): string {
  const folder = path.join(root, String(copies++), model, '1.0.0');
  cpSync(path.join(shippedModels, model, '1.0.0'), folder, { recursive: true });
  return folder;
}

describe('fhirsight seal', () => {
  it('makes a folder whole again after a wanted change, and changes nothing where nothing changed', async () => {
    const folder = copyOf('prevent-base');
    const manifest = path.join(folder, 'manifest.json');
    const before = readFileSync(manifest, 'utf8');
    expect(await sealCommand([folder])).toBe(0);
    expect(readFileSync(manifest, 'utf8')).toBe(before);

    const golden = path.join(folder, 'golden', 'scalar-form.json');
    writeFileSync(golden, `${readFileSync(golden, 'utf8')}\n`);
    await expect(readModelFolder(folder)).rejects.toThrow('wrong checksum');
    await sealCommand([folder]);
    await expect(readModelFolder(folder)).resolves.toMatchObject({ key: 'prevent-base@1.0.0' });
  });

  it('lists every file that the server reads, and not how the artefact was made', async () => {
    const folder = copyOf('score2');
    await sealCommand([folder]);
    const { checksums } = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8'));
    expect(Object.keys(checksums)).toEqual([
      'feature-map.json',
      'golden/scalar-form.json',
      'model-card.json',
      'model.onnx',
      'tables/risk-regions.csv',
    ]);
  });

  it('refuses a folder that is not there, has no manifest or one that is no object, or holds a link that leads out', async () => {
    await expect(sealCommand([path.join(root, 'none')])).rejects.toThrow('cannot be read (ENOENT)');
    const without = copyOf('fib4');
    rmSync(path.join(without, 'manifest.json'));
    await expect(sealCommand([without])).rejects.toThrow('has no manifest.json');
    const list = copyOf('fib4');
    writeFileSync(path.join(list, 'manifest.json'), '[]');
    await expect(sealCommand([list])).rejects.toThrow('is no JSON object');
    const linked = copyOf('fib4');
    symlinkSync('/etc/hostname', path.join(linked, 'golden', 'out.json'));
    await expect(sealCommand([linked])).rejects.toThrow('golden/out.json is a link that leads out');
    await expect(sealCommand([])).rejects.toThrow('needs a version folder');
  });
});
