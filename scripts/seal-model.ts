/**
 * Writes the SHA-256 of every file of a model version folder into its manifest:
 *
 *     node scripts/seal-model.ts models/prevent-base/1.0.0
 *
 * Run it after each wanted change of the folder, and release the change as a new version once results exist.
 */
import { createHash } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const folders = process.argv.slice(2);
if (folders.length === 0) throw new Error('name the version folders to seal');
for (const folder of folders) {
  const manifestFile = path.join(folder, 'manifest.json');
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  const files = [
    'explanation/*',
    'feature-map.json',
    'golden/*.json',
    'model-card.json',
    'model.onnx',
    'tables/*',
    'valueSets/*.json',
  ]
    .flatMap((pattern) => globSync(pattern, { cwd: folder }))
    .sort();
  manifest.checksums = Object.fromEntries(
    files.map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(path.join(folder, file)))
        .digest('hex'),
    ]),
  );
  writeFileSync(manifestFile, `${JSON.stringify(manifest, null, 2)}\n`);
  process.stdout.write(`${folder}: ${files.length} files sealed\n`);
}
