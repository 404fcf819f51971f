import type { Finding } from '../finding.ts';
import { type GoldenModel, goldenRow } from '../golden-cases.ts';
import type { RunRows } from '../model-row.ts';
import { inputTensors } from '../model-tensors.ts';
import type { NpyTensor } from '../read-npy.ts';
import type { Checked } from './registration.ts';
import { runEach } from './run-each.ts';
import { scoreFault } from './score-fault.ts';

/**
 * Gives each image that the model takes blank ones in the place of that of a golden case: of zeros, and of the smallest and the
 * largest number of golden cases. A blank exposure is an image too: each has to get a score that its outcomes can have, or be
 * refused.
 */
export async function probeImages(model: GoldenModel, run: RunRows): Promise<Checked> {
  const { manifest, featureMap, goldenCases } = model;
  const [base] = goldenCases;
  const features = inputTensors(manifest).flatMap(({ image }) => image ?? []);
  const probes =
    base === undefined
      ? []
      : features.flatMap((feature) =>
          blankImages(goldenCases.flatMap(({ inputs }) => imageOf(inputs[feature]))).map((image) => ({
            where: `every number of ${feature} is ${image.data[0]}`,
            row: goldenRow({ ...base, inputs: { ...base.inputs, [feature]: image } }, manifest, featureMap),
          })),
        );
  const findings: Finding[] = [];
  const notes: Finding[] = [];
  for (const { where, row } of probes) {
    // Each by itself: one that is refused says nothing of the others.
    const [answer] = await runEach(run, [row]);
    if (answer === undefined) continue;
    const found = (message: string) => ({ file: 'model.onnx', path: '', message: `${message} where ${where}` });
    if (!Array.isArray(answer)) (answer.byRule ? notes : findings).push(found(answer.reason));
    else
      for (const outcome of manifest.outcomes) {
        const fault = scoreFault(outcome, answer);
        if (fault !== undefined) findings.push(found(fault));
      }
  }
  return { tested: 'blank images', count: probes.length, notes, findings };
}

function imageOf(value: GoldenModel['goldenCases'][number]['inputs'][string] | undefined): NpyTensor[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? [value] : [];
}

function blankImages(images: readonly NpyTensor[]): NpyTensor[] {
  const [first] = images;
  if (first === undefined) return [];
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { data } of images) {
    for (const number of data) {
      least = Math.min(least, number);
      most = Math.max(most, number);
    }
  }
  return [...new Set([0, least, most])].map((number) => ({
    shape: first.shape,
    data: new Float32Array(first.data.length).fill(number),
  }));
}
