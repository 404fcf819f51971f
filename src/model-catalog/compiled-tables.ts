/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '3e8c77aae3eedb935d47c16717fdbc907c0554755396306d2969e20cd6ddb7f4';
