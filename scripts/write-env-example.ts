/** Writes `.env.example` from the schema of the settings: `node scripts/write-env-example.ts`. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderEnvExample } from '../src/platform/render-env-example.ts';

writeFileSync(path.join(import.meta.dirname, '../.env.example'), renderEnvExample());
