import { defineConfig } from 'vitest/config';
import { testProjects } from './test/support/test-projects.ts';

/** TEST_REPORT names a file for the counts as JSON, beside what is printed. */
const report = process.env.TEST_REPORT;

/** Everything that needs only npm. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What a test waits for comes, however busy the machine: only what never comes takes this long.
    expect: { poll: { timeout: 20_000 } },
    globalSetup: ['test/support/checked/check-written-resources.ts'],
    pool: 'forks',
    maxWorkers: 2,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: testProjects(['test/**/*.test.ts'], ['test/services/**', 'test/training/**']),
  },
});
