import { defineConfig } from 'vitest/config';

/** TEST_REPORT names a file for the counts as JSON, beside what is printed. */
const report = process.env.TEST_REPORT;

/** Everything that needs only npm. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/services/**'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
  },
});
