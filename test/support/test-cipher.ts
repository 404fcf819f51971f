import { createValuesCipher, parseKeys } from '../../src/platform/values-cipher.ts';

/** For parts that seal, in a test that does not look at the keys. */
export const testCipher = createValuesCipher(parseKeys('the test', `k1:${Buffer.alloc(32, 7).toString('base64')}`));
