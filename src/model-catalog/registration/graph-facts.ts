/** What the file of a graph says about itself, before anything of it is run. */
export interface GraphFacts {
  readonly irVersion: number;
  /** What wrote the file; empty texts where it does not say. */
  readonly producer: { readonly name: string; readonly version: string };
  /** Version of the operators by domain; those of ONNX itself are `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  /** How many nodes of each operator, `domain:name` outside ONNX itself, by name; graphs within graphs included. */
  readonly operators: Readonly<Record<string, number>>;
  /** What the author or the exporter noted, by key. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Domains of operators that neither what runs the graph knows nor the file itself defines. */
  readonly unknownDomains: readonly string[];
  readonly labelled: readonly LabelledOutput[];
}

/** An output of which the graph itself says which class each column is. */
export interface LabelledOutput {
  readonly output: string;
  /** What says it: `ZipMap`, `TreeEnsembleClassifier`, … */
  readonly operator: string;
  /** `scores`: one label for each column; `label`: the output holds one of the labels. */
  readonly holds: 'scores' | 'label';
  readonly labels: readonly ClassLabel[];
}

export type ClassLabel = number | string;
