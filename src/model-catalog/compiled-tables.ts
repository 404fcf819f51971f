/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '8aa6b17383fd7e01f5709833635edfc24b8acb1637707357e148e189588655e7';
