/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '48bfd54dfd8e35793bb99fa137cd837012ae7a253a3a6b6782b536836e25bfbd';
