/**
 * Runs the tutorial where Python 3.10 or later and its package index answer, and says "not run" elsewhere:
 *
 *     npm run test:training
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const minutes = 60_000;

/** Why the tutorial cannot be run here; undefined where it can. */
function obstacle(): string | undefined {
  const wanted = 'import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 10) else 1)';
  const python = spawnSync('python3', ['-c', wanted], { timeout: minutes });
  if (python.error !== undefined) return 'there is no python3';
  if (python.status !== 0) return 'python3 is older than 3.10, or has no venv';
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-index-'));
  try {
    // The smallest of the packages that the tutorial installs.
    const fetched = spawnSync(
      'python3',
      ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, 'skl2onnx'],
      {
        timeout: minutes,
      },
    );
    return fetched.status === 0 ? undefined : 'the package index of Python does not answer';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const reason = obstacle();
if (reason !== undefined) {
  process.stdout.write(`not run: ${reason}\n`);
} else {
  const vitest = path.resolve(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', 'vitest.training.config.ts', ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
}
