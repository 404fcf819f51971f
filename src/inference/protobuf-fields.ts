/** One field of a protobuf message: a number, or bytes that may be a message, a text or numbers. */
export interface Field {
  readonly number: number;
  readonly value?: number;
  readonly bytes?: Uint8Array;
}

/**
 * The fields of one protobuf message, without copying. Throws SyntaxError where the bytes are none.
 * @see https://protobuf.dev/programming-guides/encoding
 */
export function* fields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new SyntaxError('it is cut off');
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new SyntaxError('it holds a number that is too long');
  };
  const skip = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new SyntaxError('it is cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    if (number === 0) throw new SyntaxError('it is no protobuf message');
    switch (key % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        skip(8);
        yield { number };
        break;
      case 2:
        yield { number, bytes: skip(varint()) };
        break;
      case 5:
        skip(4);
        yield { number };
        break;
      default:
        throw new SyntaxError('it is no protobuf message');
    }
  }
}
