import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const idBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** A new id of a job: 256 random bits, of which nothing can be guessed (OP-55). */
export function newJobId(): string {
  return randomBytes(idBytes).toString('base64url');
}

export function isJobId(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** What a job is kept under: who reads the database does not learn the id. */
export function jobKey(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}

/** The key of a job's answer. It cannot be told from the job's key. */
export function sealKeyOf(id: string): Buffer {
  return Buffer.from(hkdfSync('sha256', id, '', 'answer of an operation job', 32));
}

/** AES-256-GCM: nonce, tag, text. */
export function sealAnswer(answer: string, key: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const text = Buffer.concat([cipher.update(answer, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

/** Throws where the sealed answer was changed, or sealed with another key. */
export function openAnswer(sealed: Buffer, key: Buffer): string {
  const textFrom = nonceBytes + tagBytes;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(nonceBytes, textFrom));
  return Buffer.concat([decipher.update(sealed.subarray(textFrom)), decipher.final()]).toString('utf8');
}
