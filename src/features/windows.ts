import { before } from '../model-catalog/record-queries.ts';

/** When the windows of a map begin, for one as-of after the other. */
export interface Windows {
  /** Of an as-of (epoch milliseconds): the instant that lies an ISO 8601 duration before it. */
  at(asOf: number): (duration: string) => number;
}

/** Those of the last as-of are kept: callers ask again and again about the same minute. */
export function createWindows(): Windows {
  let last: { readonly asOf: number; readonly since: (duration: string) => number } | undefined;
  return {
    at(asOf) {
      if (last?.asOf === asOf) return last.since;
      const starts = new Map<string, number>();
      const since = (duration: string): number => {
        let start = starts.get(duration);
        if (start === undefined) {
          start = before(new Date(asOf), duration).getTime();
          starts.set(duration, start);
        }
        return start;
      };
      last = { asOf, since };
      return since;
    },
  };
}
