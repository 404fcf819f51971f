/** How much one feature moved one outcome's score, against the reference person of the manifest. */
export interface Contribution {
  readonly feature: string;
  readonly outcome: string;
  /** Difference of scores (of probabilities: -1..1): this subject minus the subject with this feature of the reference person. */
  readonly difference: number;
}
