/**
 * One field of a protobuf message: a whole number, the four or eight bytes of a number of fixed width, or bytes that may
 * be a message, a text or numbers.
 */
export interface Field {
  readonly number: number;
  /** As an int64: negative where its highest bit is set; beyond 2^53 the nearest number. */
  readonly value?: number;
  /** See float32Of and float64Of. */
  readonly fixed?: Uint8Array;
  readonly bytes?: Uint8Array;
}

/**
 * The fields of one protobuf message, without copying. Throws SyntaxError where the bytes are none.
 * @see https://protobuf.dev/programming-guides/encoding
 */
export function* fields(bytes: Uint8Array): Generator<Field> {
  const cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const key = varint(cursor);
    const number = Math.floor(key / 8);
    if (number < 1) throw new SyntaxError('it is no protobuf message');
    switch (key % 8) {
      case 0:
        yield { number, value: varint(cursor) };
        break;
      case 1:
        yield { number, fixed: take(cursor, 8) };
        break;
      case 2:
        yield { number, bytes: take(cursor, varint(cursor)) };
        break;
      case 5:
        yield { number, fixed: take(cursor, 4) };
        break;
      default:
        throw new SyntaxError('it is no protobuf message');
    }
  }
}

/** The whole numbers that are packed into the bytes of one field, as Field.value. Throws SyntaxError for a rest that is none. */
export function packedIntegers(bytes: Uint8Array): number[] {
  const cursor = { bytes, at: 0 };
  const numbers: number[] = [];
  while (cursor.at < bytes.length) numbers.push(varint(cursor));
  return numbers;
}

/** The float32 numbers of a field of four bytes, or of many that are packed into one field. */
export function float32Of(bytes: Uint8Array): Float32Array {
  return new Float32Array(aligned(bytes, 4));
}

/** The float64 numbers of a field of eight bytes, or of many that are packed into one field. */
export function float64Of(bytes: Uint8Array): Float64Array {
  return new Float64Array(aligned(bytes, 8));
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function varint(cursor: Cursor): number {
  let value = 0;
  const from = cursor.at;
  for (let index = 0; index < 10; index++) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw new SyntaxError('it is cut off');
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return index < 7 ? value : longVarint(cursor.bytes.subarray(from, cursor.at));
  }
  throw new SyntaxError('it holds a number that is too long');
}

/** Beyond 2^53 a sum of numbers is rounded, and what is negative begins there. */
function longVarint(bytes: Uint8Array): number {
  const bits = bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
  return Number(BigInt.asIntN(64, bits));
}

function take(cursor: Cursor, length: number): Uint8Array {
  if (length < 0 || cursor.at + length > cursor.bytes.length) throw new SyntaxError('it is cut off');
  cursor.at += length;
  return cursor.bytes.subarray(cursor.at - length, cursor.at);
}

/** A copy that begins where a typed array may begin; numbers lie in it as on the processors we run on, the least byte first. */
function aligned(bytes: Uint8Array, width: number): ArrayBuffer {
  if (bytes.length % width !== 0) throw new SyntaxError('it holds a number that is cut off');
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
