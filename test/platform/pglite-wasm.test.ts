import { expect, test } from 'vitest';
import { pgliteWasm } from '../../src/platform/pglite-wasm.ts';

test('the embedded PostgreSQL is compiled once for a process, whoever asks', async () => {
  const [first, second] = await Promise.all([pgliteWasm(), pgliteWasm()]);
  expect(second).toBe(first);
  expect(first).toBeInstanceOf(WebAssembly.Module);
});
