/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '4aa870dc9971e6b70a66c9cc8819dc3c1db5f769c32b17cd6667c7812574dd56';
