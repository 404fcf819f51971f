import type { Credential } from './credential.ts';
import type { FuzzCall } from './fuzz-call.ts';
import type { FuzzAnswer } from './send-call.ts';

/** Whose the asynchronous requests are that the server took: nobody else may ask after them or cancel them (OP-55). */
export interface AsyncOwners {
  /** Ids of those that were taken, in order. */
  ids(): readonly string[];
  /** Remembers the id that this answer gave, if it gave one. */
  taken(call: Pick<FuzzCall, 'target'>, answer: Pick<FuzzAnswer, 'status' | 'headers'>, credential: Credential): void;
  /** Why this caller may not be answered about this id; undefined where it is its own. */
  fault(id: string, credential: Credential): string | undefined;
}

export function asyncOwners(): AsyncOwners {
  const owners = new Map<string, { readonly caller: string | undefined; readonly subject?: string }>();
  return {
    ids: () => [...owners.keys()],
    taken({ target }, { status, headers }, { caller }) {
      const [, id] = /\/_async\/([^/]+)$/.exec(headers['content-location'] ?? '') ?? [];
      if (status !== 202 || id === undefined) return;
      const [, subject] = /\/Patient\/([^/]+)\/\$predict(\?|$)/.exec(target) ?? [];
      owners.set(id, { caller, ...(subject === undefined ? {} : { subject }) });
    },
    fault(id, { caller, grant }) {
      const owner = owners.get(id);
      if (owner === undefined) return 'an asynchronous request that nobody made';
      if (caller === undefined || caller !== owner.caller) return 'the asynchronous request of somebody else';
      const isBound = grant.launch !== undefined && Object.keys(grant.everybody).length === 0;
      return isBound && owner.subject !== undefined && owner.subject !== grant.launch?.patient
        ? 'an asynchronous request about another patient than that of the launch'
        : undefined;
    },
  };
}
