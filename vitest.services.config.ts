import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** The same tests on a real PostgreSQL server, and those that need other real services. A missing service fails. */
export default defineConfig({
  test: { ...base.test, exclude: [], globalSetup: ['test/support/postgresql-setup.ts'] },
});
