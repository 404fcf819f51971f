import type { TreeEnsemble } from './tree-ensemble.ts';

/** Counts are written as float32, and weights of samples need not be whole numbers. */
const tolerance = 1e-4;

const wayOut =
  'write how many training samples passed each node into nodes_hitrates (scripts/python/hitrates.py does), or name another method: permutation-shapley';

/**
 * That nodes_hitrates are counts of samples, for TreeSHAP weighs the branches by them: every node was passed by some, and
 * both children of a branch by as many as the branch. Converters write 1 for every node, and the contributions would be
 * those of another model. Throws SyntaxError, whose message goes on after "the trees of model.onnx".
 */
export function checkCover({ cover, ifTrue, ifFalse, comparison }: TreeEnsemble): void {
  if (cover.some((count) => !Number.isFinite(count)))
    throw new SyntaxError(`do not say how many samples passed each node; ${wayOut}`);
  if (cover.length > 1 && cover.every((count) => count === cover[0]))
    throw new SyntaxError(
      `say that as many samples passed each node (nodes_hitrates are all ${cover[0]}), as converters do; ${wayOut}`,
    );
  for (let node = 0; node < cover.length; node++) {
    const count = cover[node] as number;
    if (count <= 0) throw new SyntaxError(`have a node that ${count} samples passed; ${wayOut}`);
    if (comparison[node] === 0) continue;
    const below = (cover[ifTrue[node] as number] as number) + (cover[ifFalse[node] as number] as number);
    if (Math.abs(below - count) > tolerance * count)
      throw new SyntaxError(`have a branch that ${count} samples passed, and its children ${below}; ${wayOut}`);
  }
}
