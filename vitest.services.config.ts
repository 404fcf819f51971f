import { defineConfig } from 'vitest/config';
import { filesOnDatabase } from './test/support/files-on-database.ts';
import { testProjects } from './test/support/test-projects.ts';
import base from './vitest.config.ts';

/**
 * Whatever has a database, now on a real PostgreSQL server, and the tests that need other real services. A missing
 * service fails.
 */
export default defineConfig({
  test: {
    ...base.test,
    projects: testProjects([...filesOnDatabase(), 'test/services/**/*.test.ts'], []),
    globalSetup: ['test/support/postgresql-setup.ts', 'test/support/checked/check-written-resources.ts'],
  },
});
