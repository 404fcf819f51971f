import { inferTensors } from './graph-model.ts';
import { imageRowsFault, numbersInTurn } from './image-rows-fault.ts';
import type { EngineModel, LoadedModel } from './inference-engine.ts';
import { matrixRows } from './matrix-model.ts';
import { rowsFault } from './row-tensors.ts';
import type { OpenedGraph } from './served-graph.ts';

/**
 * A graph as the model of a manifest: rows in, rows out.
 * @param forget called once it is released
 */
export function loadedModel(model: EngineModel, graph: OpenedGraph, forget: () => void): LoadedModel {
  const wanted = model.outputs.map(({ name }) => name);
  const form = matrixRows(model);
  let released: Promise<void> | undefined;
  const hasImages = model.inputs.some(({ isImage }) => isImage === true);
  const hasLargeImages = model.inputs.some(({ isImage, columns }) => isImage === true && columns > numbersInTurn);
  const queued: LoadedModel['run'] = (rows, options) =>
    graph.queue.run({ input: rows, form, wanted, rows: rows.length, kind: 'rows' }, options);
  const runImages: LoadedModel['run'] = async (rows, options) => {
    const fault = await imageRowsFault(model, rows);
    if (fault !== undefined) throw fault;
    return await queued(rows, options);
  };
  return {
    // Not async: each promise between the caller and the queue costs as much as a row of a small model.
    run(rows, options) {
      if (rows.length === 0) return Promise.resolve([]);
      if (hasLargeImages || (hasImages && rows.length > 1)) return runImages(rows, options);
      const fault = rowsFault(model, rows);
      if (fault !== undefined) return Promise.reject(fault);
      return queued(rows, options);
    },
    infer: (feeds, names, options = {}) => inferTensors(graph, feeds, names, options),
    inputs: graph.inputs,
    outputs: graph.outputs,
    report: graph.report,
    release() {
      released ??= graph.release().finally(forget);
      return released;
    },
  };
}
