/** Writes `schemas/*.schema.json` from the schemas of the server: `node scripts/write-schemas.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { publishedSchemas, schemaText } from '../src/model-catalog/published-schemas.ts';

const folder = path.join(import.meta.dirname, '../schemas');
mkdirSync(folder, { recursive: true });
for (const [file, schema] of Object.entries(publishedSchemas)) {
  writeFileSync(path.join(folder, file), schemaText(schema));
}
