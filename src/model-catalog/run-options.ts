/** Who goes first: somebody waits at a bedside for what is interactive, for a batch only a run. */
export type InferenceLane = 'interactive' | 'batch';

export interface RunOptions {
  /** Absent: interactive. */
  readonly lane?: InferenceLane;
  /** When the answer is due, on the clock of performance.now() in milliseconds: what cannot be in time is refused at once. */
  readonly answerBy?: number;
  /** Once it is aborted the caller is answered at once: what waits is dropped, what runs is abandoned. */
  readonly signal?: AbortSignal;
}
