import { misfit } from './check-manifest.ts';
import { columnValue } from './column-value.ts';
import type { FeatureMap } from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import type { GoldenCase } from './golden-case-schema.ts';
import type { Manifest } from './manifest-schema.ts';
import { valueKind } from './value-kind.ts';

/** That golden cases fill every column, expect known outcomes, and together cover all of them. */
export function checkGoldenFile(
  file: string,
  cases: readonly GoldenCase[],
  manifest: Manifest,
  map: FeatureMap,
): Finding[] {
  const findings: Finding[] = [];
  const { columns } = manifest.tensors.input;
  cases.forEach((golden, index) => {
    for (const { feature, encode } of columns) {
      const definition = map.features[feature];
      const value = golden.inputs[feature];
      const reason = value === undefined ? 'is missing' : definition && misfit(value, valueKind(definition), encode);
      if (reason !== undefined) findings.push({ file, path: `/cases/${index}/inputs/${feature}`, message: reason });
    }
    for (const name of Object.keys(golden.inputs)) {
      if (!columns.some(({ feature }) => feature === name)) {
        findings.push({ file, path: `/cases/${index}/inputs/${name}`, message: 'is no input column' });
      }
    }
    for (const id of Object.keys(golden.expected)) {
      if (!manifest.outcomes.some((outcome) => outcome.id === id)) {
        findings.push({ file, path: `/cases/${index}/expected/${id}`, message: 'is no outcome of the manifest' });
      }
    }
  });
  return findings;
}

export function checkGoldenCoverage(cases: readonly GoldenCase[], manifest: Manifest): Finding[] {
  return manifest.outcomes
    .filter(({ id }) => !cases.some(({ expected }) => Object.hasOwn(expected, id)))
    .map(({ id }) => ({ file: 'golden', path: '', message: `no case expects a value for the outcome ${id}` }));
}

/** Runs every golden case through the loaded model; a finding for each value that is not the expected one. */
export async function runGoldenCases(
  cases: readonly GoldenCase[],
  manifest: Manifest,
  run: (rows: readonly (readonly number[])[]) => Promise<number[][]>,
): Promise<Finding[]> {
  const outputs = await run(cases.map((golden) => rowOf(golden, manifest)));
  return cases.flatMap((golden, index) =>
    Object.entries(golden.expected).flatMap(([id, expected]) => {
      const outcome = manifest.outcomes.find((candidate) => candidate.id === id);
      const found = outcome === undefined ? undefined : outputs[index]?.[outcome.column];
      if (found !== undefined && Math.abs(found - expected) <= golden.tolerance) return [];
      const message = `golden case "${golden.name}" gives ${found} for ${id}; expected ${expected} within ${golden.tolerance}`;
      return [{ file: 'model.onnx', path: '', message }];
    }),
  );
}

function rowOf(golden: GoldenCase, manifest: Manifest): number[] {
  return manifest.tensors.input.columns.map((column) => {
    const value = golden.inputs[column.feature];
    const number = value === undefined ? undefined : columnValue(column, value);
    if (number === undefined) throw new RangeError(`golden case ${golden.name} has no number for ${column.feature}`);
    return number;
  });
}
