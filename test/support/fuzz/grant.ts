import { permissionsOfRole } from '../../../src/http/access/permissions.ts';
import type { Role } from '../../../src/http/principal.ts';

/** What a caller of the fuzzer may do, as it was meant when its token was made; what holds nowhere grants nothing. */
export interface Grant {
  readonly permissions: ReadonlySet<string>;
  /** FHIR data: letters by type, `*` for all, about everybody. */
  readonly everybody: Readonly<Record<string, string>>;
  /** The same about one patient. */
  readonly launch?: { readonly patient: string; readonly letters: string };
  /** The URL that its CDS token was made for. */
  readonly invokes?: string;
  /** The entrance whose own token it is. */
  readonly own?: 'protocol' | 'admin';
  /** Whether it holds at all: whoever does may read definitions. */
  readonly holds: boolean;
}

export const nothing: Grant = { permissions: new Set(), everybody: {}, holds: false };

export function grantOf(
  roles: readonly Role[],
  more: Partial<Omit<Grant, 'permissions'>> & { readonly permissions?: readonly string[] } = {},
): Grant {
  const { permissions = [], ...others } = more;
  const held = new Set<string>([...roles.flatMap((role) => permissionsOfRole[role]), ...permissions]);
  return { everybody: {}, holds: true, ...others, permissions: held };
}

/** Whether it allows interactions (letters of SMART) with a type, about everybody. */
export function reachesEverybody({ everybody }: Grant, type: string, letters: string): boolean {
  const held = `${everybody[type] ?? ''}${everybody['*'] ?? ''}`;
  return [...letters].every((letter) => held.includes(letter));
}

/** The same about everybody or about the patient of its launch, of whom nothing is changed or deleted. */
export function reaches(grant: Grant, type: string, letters: string): boolean {
  const { launch } = grant;
  const ofLaunch =
    launch !== undefined && [...letters].every((letter) => 'crs'.includes(letter) && launch.letters.includes(letter));
  return ofLaunch || reachesEverybody(grant, type, letters);
}
