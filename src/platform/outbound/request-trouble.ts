/** How a request to another server ended, beside its words: the cause of the error that has them. */
export class RequestTrouble extends Error {
  /** Of the answer, where there was one. */
  readonly status?: number;
  /** True where the request surely never left: nothing was changed there. */
  readonly neverLeft?: true;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs?: number;

  constructor(
    { status, neverLeft, retryAfterMs }: Pick<RequestTrouble, 'status' | 'neverLeft' | 'retryAfterMs'>,
    cause?: unknown,
  ) {
    super('the request failed', cause === undefined ? undefined : { cause });
    this.name = 'RequestTrouble';
    if (status !== undefined) this.status = status;
    if (neverLeft !== undefined) this.neverLeft = neverLeft;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }
}
