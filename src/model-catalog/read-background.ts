import { backgroundFile, mostBackgroundRows } from './explanation-schema.ts';
import type { Finding } from './finding.ts';
import type { Manifest } from './manifest-schema.ts';
import { inputColumns, inputTensors } from './model-tensors.ts';

/**
 * Reads the rows that contributions are measured against, for a method that needs them: a CSV file whose first line names
 * the feature of each input column, in their order, and whose others hold the numbers that the model takes.
 * Undefined where the method needs none; a finding where the file is missing, is there for nothing, or cannot be used.
 */
export function readBackground(
  manifest: Manifest,
  files: ReadonlyMap<string, Uint8Array>,
  findings: Finding[],
): number[][] | undefined {
  const find = (message: string): undefined => {
    findings.push({ file: backgroundFile, path: '', message });
  };
  const bytes = files.get(backgroundFile);
  const { method } = manifest.explanation;
  if (method !== 'permutation-shapley')
    return bytes === undefined ? undefined : find(`is read for permutation-shapley; the method is ${method}`);
  if (bytes === undefined) return find('is missing: permutation-shapley measures contributions against its rows');
  try {
    return parseRows(bytes, manifest);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return find(error.message);
  }
}

function parseRows(bytes: Uint8Array, manifest: Manifest): number[][] {
  const columns = inputColumns(manifest);
  const inputs = inputTensors(manifest);
  if (inputs.some(({ type }) => type === 'string'))
    throw new SyntaxError('cannot stand for an input of strings; name the method occlusion');
  const takesNaN = inputs.flatMap((input) => input.columns.map(() => input.acceptsNaN === true));
  const [header, ...lines] = new TextDecoder().decode(bytes).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const features = columns.map(({ feature }) => feature).join(',');
  if (header !== features) throw new SyntaxError(`must begin with the feature of each input column: ${features}`);
  if (lines.length === 0 || lines.length > mostBackgroundRows)
    throw new SyntaxError(`has ${lines.length} rows; allowed are 1 to ${mostBackgroundRows}`);
  return lines.map((line, index) => {
    const cells = line.split(',');
    if (cells.length !== columns.length)
      throw new SyntaxError(`has ${cells.length} numbers in line ${index + 2}; the model takes ${columns.length}`);
    return cells.map((cell, column) => {
      const number = cell === '' ? undefined : Number(cell);
      const missing = takesNaN[column] === true && cell === 'NaN';
      if (number === undefined || !(Number.isFinite(number) || missing))
        throw new SyntaxError(`has '${cell}' in line ${index + 2}, where a number is needed`);
      return number;
    });
  });
}
