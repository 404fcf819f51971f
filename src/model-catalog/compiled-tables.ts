/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = 'b9d196e4f6ecdd9423950cd48b14bb535dc87618b296208eb313be865e1c6f2a';
