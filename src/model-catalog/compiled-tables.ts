/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '15b1ff0317d8c7edcd6db800a5214e1bca40d224fca705af97fe5258d51987cc';
