import type { EngineModel } from '../inference-engine.ts';
import { rowsToTensor } from '../matrix-model.ts';
import type { DeviceCandidate } from './choose-device.ts';

/** More samples say little more, and each is run on the CPU and on every device that is tried. */
const mostRows = 256;

/** A model with the rows that it is tried with on a device: its first sample alone, and its samples together. */
export function modelCandidate(model: EngineModel): DeviceCandidate {
  const { key, artefact, input, output, samples = [] } = model;
  const rows = samples.length === 0 ? [new Array<number>(input.columns).fill(1)] : samples.slice(0, mostRows);
  const sets = rows.length === 1 ? [rows] : [rows.slice(0, 1), rows];
  return {
    key,
    artefact,
    feeds: sets.map((set) => new Map([[input.name, rowsToTensor(model, set)]])),
    rows: rows.length,
    wanted: [output.name],
    acceptsNaN: input.acceptsNaN ?? false,
  };
}
