import type { Outcome } from '../model-catalog/outcome-schema.ts';
import type { Scale } from './contribution.ts';
import type { Margin } from './graph/margin.ts';

/** In which scale contributions to an outcome are told. */
export interface ToldScale {
  readonly scale: Scale;
  /** Column of the output tensor whose margin is taken off the own one: that of the other of two classes. */
  readonly less?: number;
}

const manyClasses =
  'it is one of three or more classes of a softmax: its own margin may rise while its probability falls, for the others rise too';

/**
 * The scale in which the margin of an outcome, and no other, moves its score, and always the same way: the score itself or
 * the log-odds; before a calibration, what the model has until then. A text on why there is none, as it follows "for the
 * outcome x,".
 * @param column of the outcome, in its output tensor
 */
export function toldScale(outcome: Outcome, margin: Margin, column: number): ToldScale | string {
  const { link, calibration } = outcome.kind === 'probability' || outcome.kind === 'finding' ? outcome : {};
  const { links, weights } = margin;
  const scale = calibration === undefined ? 'log-odds' : 'margin';
  if (links.length > 0 && link !== undefined)
    return `the manifest names a link, and the graph has one already (${links.join(', ')})`;
  switch (links.join(' ')) {
    case '':
      if (link === undefined) return { scale: calibration === undefined ? 'score' : 'margin' };
      return link === 'sigmoid' ? { scale } : softmaxOf(link.softmax, margin, outcome, column, scale);
    case 'logistic':
      return { scale };
    case 'softmax':
    case 'softmax share':
      return weights.length === 2 ? { scale, less: 1 - column } : manyClasses;
    case 'logistic share':
      return areOpposite(margin)
        ? { scale }
        : 'the logistic functions of its classes are made to add up to 1 (one class against the rest): the margins of the others move its probability too';
    default:
      return `it goes through ${links.join(', then ')}`;
  }
}

/** @param places of the columns in a row of all outputs */
function softmaxOf(
  places: readonly number[],
  { weights }: Margin,
  outcome: Outcome,
  column: number,
  scale: Scale,
): ToldScale | string {
  const own = 'column' in outcome ? outcome.column : undefined;
  const [other, ...more] = places.filter((place) => place !== own);
  if (own === undefined || other === undefined || more.length > 0) return manyClasses;
  const less = other - own + column;
  return weights[less] === undefined ? 'the other column of its softmax lies in another output' : { scale, less };
}

function areOpposite({ weights, constants }: Margin): boolean {
  const [one, other] = weights;
  if (one === undefined || other === undefined || weights.length !== 2) return false;
  return constants[0] === -(constants[1] as number) && one.every((weight, part) => weight === -(other[part] as number));
}
