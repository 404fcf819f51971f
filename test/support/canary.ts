import type { Resource } from '@medplum/fhirtypes';
import type { Database } from '../../src/platform/database.ts';
import { scorablePatient } from './scorable-patient.ts';

/** Words that occur nowhere else: whatever of them is found somewhere got there from a call. */
export const canary = {
  family: 'Zqcanaryfamily',
  given: 'Zqcanarygiven',
  identifier: 'Zqcanarymrn1',
  street: 'Zqcanarystreet 7',
  note: 'Zqcanarynote',
  /** mg/dL */
  cholesterol: 217.3918264,
  token: 'Zqcanarytoken.abc.def',
  url: 'Zqcanaryurl',
  header: 'Zqcanaryheader',
  body: 'Zqcanarybody',
  comment: 'Zqcanarycomment about the family',
} as const;

/** Any of them, however it is written. */
export const canaryPattern = /zqcanary|217\.3918/i;

/** A patient that `prevent-base` can score, full of them. */
export function canaryPatient(id: string): Resource[] {
  return scorablePatient(id, {
    name: [{ family: canary.family, given: [canary.given] }],
    identifier: [{ system: 'urn:oid:1.2.3.4', value: canary.identifier }],
    address: [{ line: [canary.street] }],
  }).map((resource) =>
    resource.resourceType === 'Observation' && resource.id === `${id}-cholesterol`
      ? {
          ...resource,
          note: [{ text: canary.note }],
          valueQuantity: { ...resource.valueQuantity, value: canary.cholesterol },
        }
      : resource,
  );
}

/** Every value of every table that holds one, as `table.column: …` up to the place; `except` are tables that are left out. */
export async function canariesIn(
  database: Database,
  except: readonly string[],
  pattern = canaryPattern,
): Promise<string[]> {
  const { rows: tables } = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    if (except.includes(name.replace('public.', ''))) continue;
    const { rows } = await database.query<{ column: string; text: string | null }>(
      `select field.key as column, field.value as text from ${name} as one, json_each_text(row_to_json(one)) as field`,
    );
    for (const { column, text } of rows) {
      if (text === null) continue;
      // Bytes are written in hexadecimal digits.
      const plain = text.replace(/\\\\?x([0-9a-f]{2,})/g, (_, hex: string) =>
        Buffer.from(hex, 'hex').toString('latin1'),
      );
      const at = plain.search(pattern);
      if (at >= 0) found.push(`${name}.${column}: ${plain.slice(Math.max(0, at - 60), at + 30)}`);
    }
  }
  return found;
}
