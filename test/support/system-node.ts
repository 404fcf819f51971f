import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** A Node.js of this machine that is too old for the server, or undefined: the first on PATH below 22.18 outside the project. */
export function findOldNode(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => !folder.includes('node_modules'));
  const found = [...folders, '/usr/bin', '/usr/local/bin'].map((folder) => path.join(folder, 'node'));
  return found.filter((file) => existsSync(file)).find(isTooOld);
}

function isTooOld(file: string): boolean {
  const [major = 0, minor = 0] = execFileSync(file, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    .split('.')
    .map(Number);
  return major < 22 || (major === 22 && minor < 18);
}
