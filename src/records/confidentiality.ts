import type { Coding, Resource } from '@medplum/fhirtypes';

const system = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

/** From the least to the most confidential (HL7 v3-Confidentiality). */
const levels = [
  ['U', 'unrestricted'],
  ['L', 'low'],
  ['M', 'moderate'],
  ['N', 'normal'],
  ['R', 'restricted'],
  ['V', 'very restricted'],
] as const;

const strictest = levels.length - 1;

/** How confidential a resource, or what is made of several, is. */
export interface Confidentiality {
  /** A place among the levels; that of `very restricted` for a code that HL7 does not have. */
  readonly level: number;
  /** Codes that HL7 does not have, by which it is taken for very restricted. */
  readonly unknown: readonly string[];
}

/** What the labels of a resource say; undefined where none is about confidentiality. The strictest of several counts. */
export function confidentialityOf({ meta }: Resource): Confidentiality | undefined {
  const codes = (meta?.security ?? []).filter((coding) => coding.system === system).map(({ code = '' }) => code);
  return strictestOf(codes.map(levelOf));
}

/** The highest of all that is known. */
export function strictestOf(all: readonly (Confidentiality | undefined)[]): Confidentiality | undefined {
  let found: Confidentiality | undefined;
  for (const one of all) {
    if (one === undefined) continue;
    found = {
      level: Math.max(one.level, found?.level ?? 0),
      unknown: [...new Set([...(found?.unknown ?? []), ...one.unknown])],
    };
  }
  return found;
}

/** The label itself, for `meta.security`. */
export function confidentialityLabel({ level }: Confidentiality): Coding {
  const found = levels[level];
  if (found === undefined) throw new RangeError(`${level} is no level of confidentiality`);
  return { system, code: found[0], display: found[1] };
}

function levelOf(code: string): Confidentiality {
  const level = levels.findIndex(([known]) => known === code);
  return level < 0 ? { level: strictest, unknown: [code] } : { level, unknown: [] };
}
