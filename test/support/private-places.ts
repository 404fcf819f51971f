import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Database } from '../../src/platform/database.ts';
import { privateDetails } from './scorable-patient.ts';

/** Names, record number, birth date and a value of the patients that the tests share. */
export const privateWords: readonly string[] = Object.values(privateDetails).map(String);

/** The FHIR store itself. */
const store = ['public.resources', 'public.resource_versions'];

/**
 * Tables of a server of the suite, beside the FHIR store, in which something of the shared patients stands in the clear, as text
 * or as bytes, each as `table: the row up to there`. Throws where the database does not answer: nobody knows what stands there.
 */
export async function privatePlacesIn(database: Pick<Database, 'query'>): Promise<string[]> {
  const { rows: tables } = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const searched = tables.filter(({ name }) => !store.includes(name));
  const texts = searched.map(({ name }) => `select '${name}' as name, t::text as text from ${name} t`);
  const { rows } = await database.query<{ name: string; text: string }>(
    `select name, text from (${texts.join(' union all ')}) every_row where text ~ $1 limit 20`,
    [patternOf([...privateWords, ...privateWords.map(hexOf)]).source],
  );
  return rows.map(({ name, text: row }) => `${name}: ${row.slice(0, 300)}`);
}

/** Lines of the metrics in which something of the shared patients stands; none where they are not shown without a token. */
export async function privateMetricsOf(url: string): Promise<string[]> {
  // A connection of its own: one that was used before may be given up just now.
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/metrics`, { agent: false }, resolve).on('error', reject);
  });
  const shown = await text(answer);
  return answer.statusCode === 200 ? shown.split('\n').filter((line) => patternOf(privateWords).test(line)) : [];
}

/** As a row that is cast to text writes bytes. */
function hexOf(word: string): string {
  return Buffer.from(word, 'utf8').toString('hex');
}

function patternOf(words: readonly string[]): RegExp {
  return new RegExp(words.map((word) => word.replaceAll('.', '[.]')).join('|'));
}
