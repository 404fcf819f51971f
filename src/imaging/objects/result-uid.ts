import { createHash } from 'node:crypto';

/**
 * A DICOM UID made of a UUID (PS3.5 B.2): the same for the same part of the same result, so that an object that is sent twice is one.
 * @param identifier of the result; of SHA-256 of it and the part, 122 bits become a UUID of version 8 (RFC 9562, 5.8)
 * @param part which object, series or finding of the result
 */
export function resultUid(identifier: string, part: string): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify(['fhirsight-dicom-1', identifier, part]))
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return `2.25.${BigInt(`0x${bytes.toString('hex')}`)}`;
}
