import type { Standing, SwitchedOff } from '../../model-catalog/standing.ts';
import type { RecordedVersion, VersionRecord } from './version-record.ts';

/** What the records say, read in their order. */
export interface RecordedStanding extends Standing {
  /** Nothing was ever recorded. */
  readonly isEmpty: boolean;
  /** The default that a roll back gives: the other version that was the default before this one. */
  beforeDefault(model: string): RecordedVersion | undefined;
  /** With which digest a version was made a shadow; undefined: it is none. */
  shadowDigest(model: string, version: string): string | undefined;
  /** Whether this very switch is thrown; `switchedOff` also knows those of the whole model. */
  isOff(target: SwitchTarget): boolean;
}

/** What a kill switch is for. */
export interface SwitchTarget {
  readonly model: string;
  readonly version?: string;
  readonly service?: string;
}

export function standingOf(records: readonly VersionRecord[]): RecordedStanding {
  /** Of each model, every default that was not rolled back. */
  const defaults = new Map<string, RecordedVersion[]>();
  const shadows = new Map<string, string>();
  const off = new Map<string, SwitchedOff>();
  for (const record of records) {
    const { action, model, version = '', digest = '', recorded, because } = record;
    const stack = defaults.get(model) ?? [];
    defaults.set(model, stack);
    switch (action) {
      case 'begin':
      case 'promote':
        // Promoted as it is now: what was the default before it stays what a roll back gives.
        if (stack.at(-1)?.version === version) stack.pop();
        stack.push({ version, digest });
        shadows.delete(`${model}@${version}`);
        break;
      case 'roll-back':
        stack.pop();
        break;
      case 'shadow-on':
        shadows.set(`${model}@${version}`, digest);
        break;
      case 'shadow-off':
        shadows.delete(`${model}@${version}`);
        break;
      case 'disable':
        off.set(switchKey(record), { what: switchWords(record), at: recorded, because });
        break;
      case 'enable':
        off.delete(switchKey(record));
        break;
    }
  }
  return {
    isEmpty: records.length === 0,
    defaultOf: (model) => defaults.get(model)?.at(-1),
    beforeDefault: (model) => defaults.get(model)?.at(-2),
    isShadow: ({ manifest: { id, version }, digest }) => shadows.get(`${id}@${version}`) === digest,
    shadowDigest: (model, version) => shadows.get(`${model}@${version}`),
    switchedOff: (model, version) => off.get(switchKey({ model, ...(version === undefined ? {} : { version }) })),
    serviceOff: (model, service) => off.get(switchKey({ model, service })),
    isOff: (target) => off.has(switchKey(target)),
  };
}

/** As a command names it: `id`, `id@version`, or `id --service service`. */
export function switchWords({ model, version, service }: SwitchTarget): string {
  if (service !== undefined) return `${model} --service ${service}`;
  return version === undefined ? model : `${model}@${version}`;
}

function switchKey({ model, version, service }: SwitchTarget): string {
  return JSON.stringify([model, version ?? null, service ?? null]);
}
