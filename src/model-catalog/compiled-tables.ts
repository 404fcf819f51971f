/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '3596cad126d07c470da2963e32132a8dbb6594d5c8aa9ad0796be3deffde4a30';
