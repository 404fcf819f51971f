/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '23086135230125620637c19b53ff32380995d101d91cab8e5f1abb80fdc40a4d';
