/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '86d8aa2299d8ff6edf639f914d1dcea64b0332b6e1f971d61c236685c98b7413';
