/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '329a81e5cb99bebb7500cc19d2b1cb84e9bdc7db6a19e120b1c7a0434973af0f';
