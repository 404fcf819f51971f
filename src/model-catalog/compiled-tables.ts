/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = 'e3db4e113b5365ad88b0111c75aff28324d1415544269c6c78520b3896a613f1';
