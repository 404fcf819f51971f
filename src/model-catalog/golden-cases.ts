import { shapeOfImage } from './check-image.ts';
import {
  columnValue,
  type InputColumn,
  missingColumnValue,
  type SequenceNumbers,
  sequenceColumnValue,
} from './column-value.ts';
import type { FeatureDefinition, FeatureMap, ImageDefinition, SequenceDefinition } from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import type { GoldenCase } from './golden-case-schema.ts';
import type { Manifest } from './manifest-schema.ts';
import { misfit } from './misfit.ts';
import { missingInput } from './missing-input.ts';
import type { ModelCell, RunRows } from './model-row.ts';
import { inputColumns } from './model-tensors.ts';
import { readScore, scoreMisfit } from './outcome-score.ts';
import type { NpyTensor } from './read-npy.ts';

/** That golden cases fill every column, expect known outcomes, and together cover all of them. */
export function checkGoldenFile(
  file: string,
  cases: readonly GoldenCase[],
  manifest: Manifest,
  map: FeatureMap,
): Finding[] {
  const findings: Finding[] = [];
  const columns = inputColumns(manifest);
  cases.forEach((golden, index) => {
    for (const { feature, encode } of columns) {
      const definition = map.features[feature];
      const value = golden.inputs[feature];
      const reason = wrongInput(value, definition, encode);
      if (reason !== undefined) findings.push({ file, path: `/cases/${index}/inputs/${feature}`, message: reason });
    }
    for (const name of Object.keys(golden.inputs)) {
      if (!columns.some(({ feature }) => feature === name)) {
        findings.push({ file, path: `/cases/${index}/inputs/${name}`, message: 'is no input column' });
      }
    }
    for (const [id, expected] of Object.entries(golden.expected)) {
      const outcome = manifest.outcomes.find((candidate) => candidate.id === id);
      const misfit = outcome === undefined ? 'no outcome of the manifest' : scoreMisfit(outcome, expected);
      if (misfit !== undefined) {
        findings.push({ file, path: `/cases/${index}/expected/${id}`, message: `is ${misfit}` });
      }
    }
  });
  return findings;
}

function wrongInput(
  value: GoldenCase['inputs'][string] | undefined,
  definition: FeatureDefinition | undefined,
  encode: InputColumn['encode'],
): string | undefined {
  if (value === undefined) return 'is missing';
  if (definition?.kind === 'image') return wrongImage(value, definition);
  if (isImage(value)) return 'is a .npy file, but the feature is no image';
  if (definition?.kind === 'sequence') return wrongSequence(value, definition);
  if (Array.isArray(value)) return 'is a list, but the feature is no sequence';
  if (value !== null) return definition && misfit(value, definition, encode);
  return missingInput(definition) === undefined
    ? 'is null, but the map never gives it to the model as missing'
    : undefined;
}

function wrongImage(value: GoldenCase['inputs'][string], definition: ImageDefinition): string | undefined {
  if (!isImage(value)) return 'names no .npy file, but the feature is an image: {"npy": "file.npy"}';
  const [shape, wanted] = [value.shape, shapeOfImage(definition)];
  if (shape.join() !== wanted.join())
    return `has the shape [${shape.join(', ')}], but the steps of the feature end in [${wanted.join(', ')}]`;
  const bad = value.data.findIndex((number) => !Number.isFinite(number));
  return bad < 0 ? undefined : `has ${value.data[bad]} as its number ${bad}; a model is given finite numbers`;
}

function isImage(value: GoldenCase['inputs'][string]): value is NpyTensor {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongSequence(value: GoldenCase['inputs'][string], { steps }: SequenceDefinition): string | undefined {
  if (!Array.isArray(value)) return 'is no list of bins, but the feature is a sequence';
  return value.length === steps ? undefined : `has ${value.length} bins, but the feature has ${steps}`;
}

export function checkGoldenCoverage(cases: readonly GoldenCase[], manifest: Manifest): Finding[] {
  return manifest.outcomes
    .filter(({ id }) => !cases.some(({ expected }) => Object.hasOwn(expected, id)))
    .map(({ id }) => ({ file: 'golden', path: '', message: `no case expects a value for the outcome ${id}` }));
}

/** What it takes to run golden cases. */
export interface GoldenModel {
  readonly manifest: Manifest;
  readonly featureMap: FeatureMap;
  readonly goldenCases: readonly GoldenCase[];
}

/** Runs every golden case through the loaded model; a finding for each value that is not the expected one. */
export async function runGoldenCases(
  { manifest, featureMap, goldenCases }: GoldenModel,
  run: RunRows,
): Promise<Finding[]> {
  const outputs = await run(goldenCases.map((golden) => goldenRow(golden, manifest, featureMap)));
  return goldenCases.flatMap((golden, index) =>
    Object.entries(golden.expected).flatMap(([id, expected]) => {
      const outcome = manifest.outcomes.find((candidate) => candidate.id === id);
      const read = outcome && readScore(outcome, outputs[index] ?? []);
      if (typeof read === 'number' && Math.abs(read - expected) <= golden.tolerance) return [];
      const found = typeof read === 'string' ? `what is ${read}` : read;
      const message = `golden case "${golden.name}" gives ${found} for ${id}; expected ${expected} within ${golden.tolerance}`;
      return [{ file: 'model.onnx', path: '', message }];
    }),
  );
}

/** The row of the inputs for a golden case, as for a subject with these inputs. */
export function goldenRow(golden: GoldenCase, manifest: Manifest, map: FeatureMap): ModelCell[] {
  return inputColumns(manifest).map((column) => {
    const value = golden.inputs[column.feature];
    if (value !== undefined && isImage(value)) return value.data;
    const given = missingInput(map.features[column.feature]);
    const number =
      value === null
        ? given && missingColumnValue(column, given)
        : value === undefined
          ? undefined
          : Array.isArray(value)
            ? sequenceColumnValue(column, channelsOf(value))
            : columnValue(column, value);
    if (number === undefined) throw new RangeError(`golden case ${golden.name} has no number for ${column.feature}`);
    return number;
  });
}

function channelsOf(bins: readonly (readonly [number, number, number])[]): SequenceNumbers {
  return {
    value: bins.map(([value]) => value),
    mask: bins.map(([, mask]) => mask),
    since: bins.map(([, , since]) => since),
  };
}
