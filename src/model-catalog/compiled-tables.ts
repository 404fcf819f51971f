/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = 'e4ba0dbc1ca85f9bed951aafbfe1ba94c0e39323b7019d443c5bba7dfd4475ec';
