/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = 'f537792dcd3821d604603042d8d4a2ff812fd6ed1f3b84b7a471abd13e5af76d';
