import type { Site } from './site.ts';

/** One thing that is tried on a server, and the requirements that it shows. */
export interface Check {
  readonly ids: readonly string[];
  readonly says: string;
  /** @returns the evidence, in one line. Throws where the server does not do what is required, NotRun where it cannot be told. */
  readonly run: (site: Site) => Promise<string>;
}

/** What cannot be told of this server, and why: neither passed nor failed. */
export class NotRun extends Error {}

/** What was given, where it was given. Throws NotRun otherwise. */
export function needed<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new NotRun(what);
  return value;
}
