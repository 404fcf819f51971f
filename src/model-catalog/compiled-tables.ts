/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '249a91a5e8a5b9eb154f695e1bd5690895207fa960d34571d899ad5f01c6c18f';
