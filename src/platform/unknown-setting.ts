/**
 * The environment also holds variables that are not for us, so a variable counts as a mistaken setting only where
 *
 * 1. it begins with FHIRSIGHT_ (settings have no prefix), or
 * 2. it begins with a word that only our settings begin with (`families`), or
 * 3. it is one slip (two, from eight letters on) away from a setting: a letter missing, added, changed, or two swapped.
 *
 * Left alone are HOME, PATH, HOSTNAME, NODE_*, npm_* and the like, and the addresses of services which Kubernetes adds
 * (FHIR_SERVICE_HOST, FHIR_PORT=tcp://…).
 */
const ownPrefix = 'FHIRSIGHT_';
const families = ['FHIR_', 'DATA_', 'MODELS_', 'SITE_', 'SAMPLE_', 'PREDICT_', 'DRAIN_', 'OPT_OUT_'];
const longNameLetters = 8;
/** Where OpenSSL finds authorities: one slip away from TLS_CERT_FILE, and set on many machines. */
const ofOpenSsl: ReadonlySet<string> = new Set(['SSL_CERT_FILE', 'SSL_CERT_DIR']);

/** The setting that `variable` was probably meant to be, or undefined where the variable is none of our business. */
export function mistakenSetting(
  variable: string,
  value: string,
  names: readonly string[],
): { readonly nearest: string } | undefined {
  if (names.includes(variable) || ofOpenSsl.has(variable) || isServiceAddress(variable, value)) return undefined;
  const bare = variable.startsWith(ownPrefix) ? variable.slice(ownPrefix.length) : variable;
  const ranked = names.map((name) => ({ name, slips: slipsBetween(bare, name) })).sort((a, b) => a.slips - b.slips);
  const nearest = ranked[0];
  if (nearest === undefined) return undefined;
  const isOurs = bare !== variable || families.some((family) => variable.startsWith(family));
  const allowedSlips = nearest.name.length >= longNameLetters ? 2 : 1;
  return isOurs || nearest.slips <= allowedSlips ? { nearest: nearest.name } : undefined;
}

function isServiceAddress(variable: string, value: string): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_\w+)?$/.test(variable) ||
    (/_PORT(_\w+)?$/.test(variable) && /^(tcp|udp):\/\//.test(value)) ||
    /_PORT_\d+_(TCP|UDP)_(ADDR|PORT|PROTO)$/.test(variable)
  );
}

/** Optimal string alignment distance: insertions, deletions, changes and swaps of neighbours. */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
