/** As often is a server killed at the most, also where the moments that count are missed. */
export const mostKills = 20;

/** How often a test kills a server with `kill -9`: KILLS, which `npm run soak` sets, or few, for every day. */
export function killsOfServer(): number {
  const text = process.env.KILLS ?? '3';
  const kills = Number(text);
  if (!Number.isInteger(kills) || kills < 1 || kills > mostKills)
    throw new Error(`KILLS is "${text}"; allowed is a whole number from 1 to ${mostKills}`);
  return kills;
}
