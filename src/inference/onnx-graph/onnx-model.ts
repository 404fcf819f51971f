import type { ElementType } from '../../model-catalog/tensor.ts';

/**
 * An ONNX model as it is written: what its operators are, what they are told, and the numbers it holds. Nothing of it is
 * worked out; see read-onnx-model.ts.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export interface OnnxModel {
  readonly irVersion: number;
  /** Version of the operators, by domain; that of ONNX itself is the empty text. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producer: { readonly name: string; readonly version: string };
  /** `model_version`, a number of the author's own; 0 where there is none. */
  readonly modelVersion: number;
  readonly description: string;
  /** What the author or the exporter noted, by key. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: OnnxGraph;
  /** Operators that the model defines itself. */
  readonly functions: readonly OnnxFunction[];
}

export interface OnnxGraph {
  readonly name: string;
  /** With the initializers that old exporters name among the inputs too. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** In the order in which they run. */
  readonly nodes: readonly OnnxNode[];
  /** Constant tensors, by name. */
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
}

export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly nodes: readonly OnnxNode[];
}

export interface OnnxNode {
  readonly operator: string;
  /** Empty for the operators of ONNX itself, also where the file says `ai.onnx`. */
  readonly domain: string;
  readonly name: string;
  /** An empty text is an input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** One thing that a node is told. What it is not is absent, or empty where it is a list. */
export interface OnnxAttribute {
  readonly float?: number;
  /** Beyond 2^53 the nearest number. */
  readonly integer?: number;
  readonly text?: string;
  readonly tensor?: OnnxTensor;
  readonly graph?: OnnxGraph;
  readonly floats: readonly number[];
  readonly integers: readonly number[];
  readonly texts: readonly string[];
  readonly tensors: readonly OnnxTensor[];
  readonly graphs: readonly OnnxGraph[];
}

/** A constant tensor. Its numbers are read by tensorNumbers, for they may be many. */
export interface OnnxTensor {
  readonly name: string;
  readonly type: ElementType | 'other';
  readonly dims: readonly number[];
  /** The TensorProto. */
  readonly message: Uint8Array;
}

/** An input or output of a graph. */
export interface OnnxValue {
  readonly name: string;
  /** Absent where the file does not say. */
  readonly type?: OnnxType;
}

/** A size of a shape is a number, the name of a free one, or null for one that is free without a name. */
export type OnnxType =
  | {
      readonly kind: 'tensor';
      readonly element: ElementType | 'other';
      /** Absent where even the rank is left open. */
      readonly shape?: readonly (number | string | null)[];
    }
  | { readonly kind: 'sequence'; readonly of?: OnnxType }
  | { readonly kind: 'map'; readonly key: ElementType | 'other'; readonly value?: OnnxType }
  | { readonly kind: 'other' };
