/** Writes `src/model-catalog/compiled-tables.ts` from the tables and sentences of the code: `node scripts/write-compiled-tables.ts`. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { compiledTables } from '../test/support/compiled-tables.ts';

const text = `/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by \`node scripts/write-compiled-tables.ts\`; a test tells when it has to be made again.
 */
export const compiledTables = '${compiledTables()}';
`;
writeFileSync(path.join(import.meta.dirname, '../src/model-catalog/compiled-tables.ts'), text);
