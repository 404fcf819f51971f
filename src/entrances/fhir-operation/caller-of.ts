import type { Principal } from '../../http/principal.ts';
import type { Caller } from '../../prediction/prediction-request.ts';

/** Who asks, for the prediction log; undefined where nothing was proved. */
export function callerOf({ provedBy, client, user }: Principal): Caller | undefined {
  return provedBy === 'nothing' ? undefined : { client, ...(user === undefined ? {} : { user }) };
}
