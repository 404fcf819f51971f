import { type Field, fields, packedIntegers } from '../protobuf-fields.ts';

/** The fields of a message by number, in the order of the file. */
export type MessageFields = ReadonlyMap<number, readonly Field[]>;

/** All fields of a message. Throws SyntaxError where the bytes are none. */
export function messageFields(bytes: Uint8Array): MessageFields {
  const found = new Map<number, Field[]>();
  for (const field of fields(bytes)) {
    const same = found.get(field.number);
    if (same === undefined) found.set(field.number, [field]);
    else same.push(field);
  }
  return found;
}

/** The messages (or texts, as bytes) of a repeated field. Throws SyntaxError where one is a number. */
export function messagesAt(found: MessageFields, number: number): Uint8Array[] {
  return (found.get(number) ?? []).map(({ bytes }) => {
    if (bytes === undefined) throw new SyntaxError(`its field ${number} is a number where a message belongs`);
    return bytes;
  });
}

/** The texts of a repeated field, as UTF-8. */
export function textsAt(found: MessageFields, number: number): string[] {
  return messagesAt(found, number).map((bytes) =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'),
  );
}

/** The text of a field, of several the last, as protobuf has it; empty where there is none. */
export function textAt(found: MessageFields, number: number): string {
  return textsAt(found, number).at(-1) ?? '';
}

/** The whole numbers of a repeated field, packed or not. Throws SyntaxError where one is of fixed width. */
export function integersAt(found: MessageFields, number: number): number[] {
  return (found.get(number) ?? []).flatMap(({ value, bytes }) => {
    if (value !== undefined) return [value];
    if (bytes === undefined) throw new SyntaxError(`its field ${number} is no whole number`);
    return packedIntegers(bytes);
  });
}

/** The whole number of a field; undefined where there is none. */
export function integerAt(found: MessageFields, number: number): number | undefined {
  return integersAt(found, number).at(-1);
}

/** The bytes of a repeated field of numbers of fixed width, packed or not, one after the other. */
export function fixedAt(found: MessageFields, number: number): Uint8Array {
  const parts = (found.get(number) ?? []).map(({ fixed, bytes }) => {
    const part = fixed ?? bytes;
    if (part === undefined) throw new SyntaxError(`its field ${number} is a whole number where another belongs`);
    return part;
  });
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}
