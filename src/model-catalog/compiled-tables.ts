/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = 'f0df77f54e3353c6d0f2b5252d088f1907b7bcc5d565d845b41b7ffab446eeaa';
