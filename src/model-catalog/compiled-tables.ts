/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '7232dbb57b4b74a66c1363f164a6148ce2dda1b5c5a6387c7dcb93be277e2078';
