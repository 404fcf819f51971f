/**
 * SHA-256 over the tables and sentences of this release that change a number or what is shown of it; part of the digest of
 * every version. Made by `node scripts/write-compiled-tables.ts`; a test tells when it has to be made again.
 */
export const compiledTables = '3ac889b8a7cafdc536a0ed67c501a784c63fd2d8b184170f3cf6e6ebd151b229';
