import type { ModelRow } from '../../model-catalog/model-row.ts';
import type { EngineModel } from '../inference-engine.ts';
import { rowsToTensors } from '../row-tensors.ts';
import type { DeviceCandidate } from './choose-device.ts';

/** More samples say little more, and each is run on the CPU and on every device that is tried. */
const mostRows = 256;

/** A model with the rows that it is tried with on a device: its first sample alone, and its samples together. */
export function modelCandidate(model: EngineModel): DeviceCandidate {
  const { key, artefact, inputs, outputs, samples = [] } = model;
  const rows = samples.length === 0 ? [madeUpRow(inputs)] : samples.slice(0, mostRows);
  const sets = rows.length === 1 ? [rows] : [rows.slice(0, 1), rows];
  return {
    key,
    artefact,
    feeds: sets.map((set) => rowsToTensors(model, set)),
    rows: rows.length,
    wanted: outputs.map(({ name }) => name),
    acceptsNaN: inputs.some(({ acceptsNaN }) => acceptsNaN === true),
  };
}

/** Ones, and texts that are empty. */
function madeUpRow(inputs: EngineModel['inputs']): ModelRow {
  return inputs.flatMap(({ type, columns, isImage }): ModelRow => {
    if (isImage === true) return [new Float32Array(columns).fill(1)];
    return new Array<number | string>(columns).fill(type === 'string' ? '' : 1);
  });
}
