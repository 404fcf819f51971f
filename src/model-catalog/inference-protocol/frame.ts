import { isUtf8 } from 'node:buffer';
import { parseExactJson } from './exact-json.ts';

/** How many bytes of a body are JSON, where binary tensors follow it; in the spelling of Triton. */
export const headerLengthName = 'Inference-Header-Content-Length';

/** What a server that takes and gives binary tensors lists among its extensions. */
export const binaryExtension = 'binary_tensor_data';

/** A body of the protocol: one JSON value, and behind it the bytes of the tensors that are not in it. */
export interface Frame {
  readonly head: unknown;
  readonly binary: Uint8Array;
}

/**
 * @param headerLength the value of `headerLengthName`; absent: all of the body is JSON
 * Throws SyntaxError with what is wrong with the body.
 */
export function readFrame(body: Buffer, headerLength: string | undefined): Frame {
  const length = headerLength === undefined ? body.length : lengthOf(headerLength, body.length);
  const head = body.subarray(0, length);
  if (!isUtf8(head)) throw new SyntaxError('its JSON is not valid UTF-8');
  return { head: parseExactJson(head.toString('utf8')), binary: body.subarray(length) };
}

function lengthOf(headerLength: string, bodyLength: number): number {
  if (!/^\d{1,15}$/.test(headerLength)) throw new SyntaxError(`${headerLengthName} is not a whole number`);
  const length = Number(headerLength);
  if (length > bodyLength) {
    throw new SyntaxError(`${headerLengthName} says ${length} bytes, and the body has only ${bodyLength}`);
  }
  return length;
}
