/** Takes the lock of the data directory given as argument, says so or why not as one line of JSON, and holds it until killed. */
import { writeSync } from 'node:fs';
import { lockDataDir } from '../../src/platform/data-dir-lock.ts';
import { PredictionError } from '../../src/platform/errors.ts';

const [dataDir, url] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('usage: lock-holder.ts <data dir> [<url>]');
try {
  await lockDataDir(dataDir, { url });
  writeSync(1, `${JSON.stringify({ held: true })}\n`);
  setInterval(() => undefined, 60_000);
} catch (error) {
  if (!(error instanceof PredictionError)) throw error;
  writeSync(1, `${JSON.stringify({ held: false, code: error.code, message: error.message })}\n`);
}
