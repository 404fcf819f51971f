/** Why no connection was made, or an answer not read. */
export type RefusalReason = 'not-listed' | 'address-not-allowed' | 'redirect' | 'too-long';

/**
 * A request that was not sent, or an answer that was not taken. Never reaches a caller as it is: whoever asked says it in the words of
 * its own error. Its message names no path and no query.
 */
export class OutboundRefused extends Error {
  readonly code = 'OUTBOUND_REFUSED';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.name = 'OutboundRefused';
    this.reason = reason;
  }
}
