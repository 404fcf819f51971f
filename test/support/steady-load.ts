/**
 * Asks a server at a constant rate, whether it has answered or not, from a process of its own:
 *
 *     node test/support/steady-load.ts <url of $predict> <file with bodies, a JSON list> <calls a second>
 *
 * Goes on until its standard input ends, waits for what is under way, and prints one line of JSON for each call: when it was
 * sent (ms since the epoch), how long it took, and what the answer says.
 */
import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

const [url = '', file = '', rate = '200'] = process.argv.slice(2);
const bodies = JSON.parse(readFileSync(file, 'utf8')) as string[];
const { origin, pathname } = new URL(url);
const pool = new Pool(origin, { connections: 64, pipelining: 1 });
const answered: string[] = [];
const underWay = new Set<Promise<void>>();

async function ask(body: string): Promise<void> {
  const sentAt = Date.now();
  const started = performance.now();
  const kept = (rest: object): void => {
    answered.push(JSON.stringify({ sentAt, ms: performance.now() - started, ...rest }));
  };
  try {
    const answer = await pool.request({
      path: pathname,
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body,
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) return kept({ status: answer.statusCode, text: text.slice(0, 500) });
    kept({
      status: 200,
      device: /"performer":\{"reference":"Device\/([^"]+)"/.exec(text)?.[1],
      model: /NamingSystem\/model","value":"([^"]+)"/.exec(text)?.[1],
      method: /"method":\{"text":"[^"]*\((?<name>[^")]+)\)"/.exec(text)?.groups?.name,
      percents: [...text.matchAll(/"probabilityDecimal":([0-9.]+)/g)].map(([, percent]) => Number(percent)),
    });
  } catch (error) {
    kept({ status: 0, text: String(error) });
  }
}

const startedMs = performance.now();
let sent = 0;
const timer = setInterval(() => {
  const due = Math.floor(((performance.now() - startedMs) / 1_000) * Number(rate));
  for (; sent < due; sent++) {
    const asked = ask(bodies[sent % bodies.length] ?? '').finally(() => underWay.delete(asked));
    underWay.add(asked);
  }
}, 5);
process.stdin.resume();
process.stdin.on('end', async () => {
  clearInterval(timer);
  await Promise.all(underWay);
  await pool.close();
  process.stdout.write(`${answered.join('\n')}\n`);
});
