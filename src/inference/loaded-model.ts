import { numericDataMaker, type Tensors } from '../model-catalog/tensor.ts';
import { inferTensors } from './graph-model.ts';
import type { EngineModel, LoadedModel } from './inference-engine.ts';
import { rowsToTensor, tensorToRows } from './matrix-model.ts';
import type { OpenedGraph } from './served-graph.ts';

/**
 * A graph as the model of a manifest: rows in, rows out.
 * @param forget called once it is released
 */
export function loadedModel(model: EngineModel, graph: OpenedGraph, forget: () => void): LoadedModel {
  const { input, output } = model;
  const wanted = [output.name];
  const make = numericDataMaker(input.type);
  let released: Promise<void> | undefined;
  return {
    async run(rows, options) {
      if (rows.length === 0) return [];
      const feeds: Tensors = new Map([[input.name, rowsToTensor(model, rows, make)]]);
      const outputs = await graph.queue.run({ feeds, wanted, rows: rows.length, kind: 'rows' }, options);
      return tensorToRows(model, outputs, rows.length);
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
