/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '8df7b54d3c5c6c85e6695c16ff500fa3b7845c1f1a230f4397a708c7c61b2d17';
