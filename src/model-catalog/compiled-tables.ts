/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = 'ff655a454a0ded8449365a8c59fdd5a56513a0d2cbea8d7eb308da68bf41b61f';
