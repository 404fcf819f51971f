import { PredictionError } from '../platform/errors.ts';

/** One reason to refuse a model folder. */
export interface Finding {
  /** Relative to the version folder; the site file is named as it was given. */
  readonly file: string;
  /** JSON Pointer into the file; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** File, JSON path and reason. */
export function findingText({ file, path, message }: Finding): string {
  return `${file}${path === '' ? '' : ` ${path}`}: ${message}`;
}

/** How many findings the message quotes; the issues hold all of them. */
const quoted = 8;

/** MODEL_INVALID that names the folder and, for each finding, file, JSON path and reason. */
export function modelInvalid(folder: string, findings: readonly Finding[], cause?: unknown): PredictionError {
  const lines = findings.map(findingText);
  const more = lines.length > quoted ? `; and ${lines.length - quoted} more` : '';
  return new PredictionError(
    'MODEL_INVALID',
    `Model folder ${folder} is refused: ${lines.slice(0, quoted).join('; ')}${more}.`,
    { issues: lines.map((message) => ({ message: `${folder}: ${message}` })), cause },
  );
}

/** A key as a part of a JSON Pointer (RFC 6901). */
export function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
