/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = 'fb9e551caa5de72009f7e4eddf5bf756791e30d7f8ba09501d617c549049797b';
