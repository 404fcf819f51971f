import type { HookVersion } from '../../model-catalog/hook-library.ts';
import { bodyCheck } from './check-body.ts';
import { contextSchema } from './hook-schemas.ts';

/** The context of a call, in the form of its hook. */
export interface HookContext {
  /** Logical id of the Patient. */
  readonly patientId: string;
  /** Logical id of the Encounter. */
  readonly encounterId?: string;
  /** `Practitioner/17` */
  readonly userId?: string;
  /** The version of the hook that it is in. */
  readonly version: HookVersion;
  /** All of it, as it came. */
  readonly fields: Readonly<Record<string, unknown>>;
}

type CheckedContext = Pick<HookContext, 'patientId' | 'encounterId' | 'userId'> & Record<string, unknown>;

/**
 * Reads the context of a hook: in the first version whose required fields are all there, or else in the newest, of which
 * is then said what is wrong. @param versions the newest first
 * @returns throws PARAMETER_INVALID
 */
export function contextReader(versions: readonly HookVersion[]): (context: unknown) => HookContext {
  const readers = versions.map((version) => {
    const check: (value: unknown, path: string) => asserts value is CheckedContext = bodyCheck<CheckedContext>(
      contextSchema(version),
    );
    const required = Object.entries(version.context).flatMap(([name, { optional }]) => (optional ? [] : [name]));
    return { version, check, required };
  });
  return (context) => {
    const has = (name: string): boolean =>
      typeof context === 'object' && context !== null && Object.hasOwn(context, name);
    const reader = readers.find(({ required }) => required.every(has)) ?? readers[0];
    if (reader === undefined) throw new RangeError('a hook without a version is never offered');
    const check: (value: unknown, path: string) => asserts value is CheckedContext = reader.check;
    check(context, 'context');
    const { patientId, encounterId, userId } = context;
    return {
      patientId,
      ...(encounterId === undefined ? {} : { encounterId }),
      ...(userId === undefined ? {} : { userId }),
      version: reader.version,
      fields: context,
    };
  };
}
