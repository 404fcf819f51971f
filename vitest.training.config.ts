import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** The tutorial, from records to a served model; it needs Python and its package index (`npm run test:training`). */
export default defineConfig({
  test: {
    ...base.test,
    projects: [{ extends: true, test: { name: 'training', include: ['test/training/**/*.test.ts'] } }],
  },
});
