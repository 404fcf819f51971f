import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Scale } from '../../src/explanation/contribution.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';

const folder = path.join(import.meta.dirname, '../explanation/vectors');

/** What the `shap` library says of a small model; made by test/explanation/vectors/make_vectors.py. */
export interface ShapVectors {
  readonly name: string;
  readonly artefact: Uint8Array;
  readonly input: string;
  readonly output: string;
  readonly outputColumns: number;
  /** Which output column is explained. */
  readonly column: number;
  readonly scale: Scale;
  readonly rows: readonly (readonly number[])[];
  readonly base: number;
  /** By row, then by column of the input. */
  readonly contributions: readonly (readonly number[])[];
  readonly means?: readonly number[];
  readonly background?: readonly (readonly number[])[];
}

export const shapCases: readonly string[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

export function shapVectors(name: string): ShapVectors {
  const text = readFileSync(path.join(folder, name, 'vectors.json'), 'utf8');
  const revived = JSON.parse(text, (_, value) => (value === 'NaN' ? Number.NaN : value)) as ShapVectors;
  return { ...revived, name, artefact: readFileSync(path.join(folder, name, 'model.onnx')) };
}

/** As much of a manifest as an explanation needs: each column of the input is a feature of its own, `x0`, `x1`, … */
export function vectorManifest(vectors: ShapVectors, explanation: Manifest['explanation']): Manifest {
  const columns = (vectors.rows[0] ?? []).map((_, index) => ({ feature: `x${index}` }));
  const { input, output, outputColumns, column } = vectors;
  return {
    id: vectors.name,
    version: '1.0.0',
    tensors: {
      input: { name: input, type: 'float32', columns },
      output: { name: output, type: 'float32', columns: outputColumns },
    },
    outcomes: [{ id: 'outcome', label: 'Outcome', kind: 'probability', column, horizon: 'P1Y' }],
    explanation,
  } as unknown as Manifest;
}
