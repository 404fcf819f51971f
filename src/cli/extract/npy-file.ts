import { type FileHandle, open } from 'node:fs/promises';
import { endianness } from 'node:os';

/** An array of float32 in NumPy's format 1.0, rows first, written row by row. */
export interface NpyFile {
  /** @returns which row it is, from 0 */
  append(row: Float32Array): Promise<number>;
  /** Writes how many rows there are, and closes the file. */
  end(): Promise<void>;
  /** Closes it as it is. */
  abandon(): Promise<void>;
}

/** Room for a head that is written twice: first with no rows, at the end with all. A multiple of 64, as the format wants it. */
const headBytes = 192;

/**
 * Opens a new file, readable for its owner alone.
 * @param shape sizes of one row
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export async function openNpyFile(file: string, shape: readonly number[]): Promise<NpyFile> {
  const handle = await open(file, 'wx', 0o600);
  await handle.write(headOf([0, ...shape]), 0, headBytes, 0);
  let rows = 0;
  let at = headBytes;
  return {
    async append(row) {
      const bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
      await writeAll(handle, bytes, at);
      at += bytes.length;
      rows += 1;
      return rows - 1;
    },
    async end() {
      await handle.write(headOf([rows, ...shape]), 0, headBytes, 0);
      await handle.sync();
      await handle.close();
    },
    abandon: () => handle.close(),
  };
}

function headOf(shape: readonly number[]): Uint8Array {
  const order = endianness() === 'LE' ? '<' : '>';
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${order}f4', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = headBytes - 10;
  const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${text.padEnd(length - 1)}\n`, 'latin1');
  if (head.length !== headBytes) throw new Error('the head of the array is too long');
  head.writeUInt16LE(length, 8);
  return head;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}
