/** How much one feature, or one part of it, moved one outcome. */
export interface Contribution {
  readonly feature: string;
  readonly outcome: string;
  /** In the scale of the outcome's OutcomeBase: of probabilities -1..1. What it is a difference from depends on the method. */
  readonly difference: number;
  /** The part of the feature that it is about; absent for the whole feature. */
  readonly part?: FeaturePart;
  /** Standard error of a difference that was estimated. */
  readonly standardError?: number;
}

/** A bin of a sequence, or a word of a text. */
export type FeaturePart =
  | { readonly kind: 'bin' /** From 0, the oldest. */; readonly bin: number }
  | {
      readonly kind: 'word' /** From 0, among the words of the text, which is personal and not repeated. */;
      readonly index: number;
    };

/**
 * What differences are counted in: the score itself (of a probability, percentage points); the logarithm of the odds; or
 * what the model has before it becomes a score.
 */
export type Scale = 'score' | 'log-odds' | 'margin';

/** What the contributions to one outcome start from, and whether they add up. */
export interface OutcomeBase {
  readonly outcome: string;
  readonly scale: Scale;
  /** What the differences are counted from, in that scale: the score of the reference. Absent where there is none. */
  readonly base?: number;
  /**
   * What the model's own output stands for less what the base and all differences give, in the same scale: next to nothing.
   * Absent where the differences of a method do not add up, and where a probability is so near 0 or 1 that it does not tell.
   */
  readonly residual?: number;
}

/** The contributions to all outcomes of one result. */
export interface Explanation {
  readonly contributions: readonly Contribution[];
  /** One for each outcome that is explained. */
  readonly bases: readonly OutcomeBase[];
}
