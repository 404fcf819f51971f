import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inputColumns } from '../../src/model-catalog/model-tensors.ts';
import type { ModelVersion } from '../../src/model-catalog/model-version.ts';
import { shippedModels } from './model-folder.ts';

const shipped = readdirSync(shippedModels).sort();

/** The demonstration models of tables and texts that are shipped, by id. */
export const demonstrations: readonly string[] = shipped.filter((id) => id.startsWith('demo-'));

/** The shipped models that were published by others: equations and scores. `chest-phantom`, which reads drawn pictures, is none of them. */
export const publishedModels: readonly string[] = shipped.filter(
  (id) => !demonstrations.includes(id) && id !== 'chest-phantom',
);

/** `training/test-vectors.json`: rows of the input, and what the training library itself makes of them. */
export interface TestVectors {
  readonly library: string;
  /** Of the input, in its order. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (number | string)[])[];
  readonly outcome: string;
  readonly scores: readonly number[];
  /** The patient whose record gives each row, where there is such a record. */
  readonly subjects?: readonly (string | null)[];
  /** Contributions by column, as the `shap` library has them; absent where none were made. */
  readonly explanation?: {
    readonly library: string;
    readonly method: string;
    readonly of: string;
    readonly base: number;
    readonly values: readonly (readonly number[])[];
  };
}

export function testVectors(id: string, version = '1.0.0'): TestVectors {
  return JSON.parse(readFileSync(path.join(shippedModels, id, version, 'training/test-vectors.json'), 'utf8'));
}

/** Columns of the input in words: `pulse`, or `pulse.value.3` for one number of a sequence. */
export function columnNames({ manifest }: Pick<ModelVersion, 'manifest'>): string[] {
  return inputColumns(manifest).map(({ feature, at }) =>
    at === undefined ? feature : `${feature}.${at.channel}.${at.bin}`,
  );
}
