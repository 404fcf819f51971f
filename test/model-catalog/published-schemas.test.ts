import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/model-catalog/finding.ts';
import {
  parseFeatureMap,
  parseGoldenFile,
  parseManifest,
  parseModelCard,
} from '../../src/model-catalog/parse-model-json.ts';
import { type JsonSchema, publishedSchemas, schemaText } from '../../src/model-catalog/published-schemas.ts';
import { shippedModels } from '../support/model-folder.ts';

const folder = path.resolve(import.meta.dirname, '../../schemas');

/** As somebody else's editor or pipeline would read it: no option of our own parser. */
const ajv = new Ajv({ allowUnionTypes: true, formats: { uri: /^[a-z][a-z0-9+.-]*:\S+$/i } });
const files = [
  { schema: 'feature-map.schema.json', file: /feature-map\.json$/, parse: parseFeatureMap },
  { schema: 'manifest.schema.json', file: /manifest\.json$/, parse: parseManifest },
  { schema: 'golden-case.schema.json', file: /golden\/[^/]+\.json$/, parse: parseGoldenFile },
  { schema: 'model-card.schema.json', file: /model-card\.json$/, parse: parseModelCard },
] as const;
const shipped = readdirSync(shippedModels, { recursive: true, encoding: 'utf8' });

function validatorOf(name: string) {
  const schema = publishedSchemas[name];
  if (schema === undefined) throw new Error(`${name} is not published`);
  return ajv.getSchema(String(schema.$id)) ?? ajv.compile(schema);
}

function isAcceptedByServer(parse: (typeof files)[number]['parse'], value: unknown): boolean {
  const findings: Finding[] = [];
  return parse('x.json', Buffer.from(JSON.stringify(value)), findings) !== undefined;
}

/** Paths of the keys that are not described. */
function undescribed(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { properties } = value as { properties?: Record<string, JsonSchema> };
  const silent = Object.entries(properties ?? {}).filter(([, schema]) => typeof schema.description !== 'string');
  return [
    ...silent.map(([key]) => `${at}/${key}`),
    ...Object.entries(value).flatMap(([key, part]) => undescribed(part, `${at}/${key}`)),
  ];
}

describe.each(files)('$schema', ({ schema, file, parse }) => {
  test('is what the server checks; otherwise run node scripts/write-schemas.ts', () => {
    expect(readFileSync(path.join(folder, schema), 'utf8')).toBe(schemaText(publishedSchemas[schema] ?? {}));
  });

  test('says of every key what it means', () => {
    expect(undescribed(publishedSchemas[schema])).toEqual([]);
  });

  test('accepts and refuses what the server does, in a validator of somebody else', () => {
    const validate = validatorOf(schema);
    const paths = shipped.filter((name) => file.test(name) && !name.includes('training'));
    expect(paths.length).toBeGreaterThanOrEqual(3);
    for (const name of paths) {
      const text = readFileSync(path.join(shippedModels, name), 'utf8');
      expect(validate(JSON.parse(text)), `${name}: ${ajv.errorsText(validate.errors)}`).toBe(true);
      fc.assert(
        fc.property(
          fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
          fc.constantFrom(...breakages),
          (way, change) => {
            const broken = changed(JSON.parse(text), way, change);
            expect(validate(broken)).toBe(isAcceptedByServer(parse, broken));
          },
        ),
        { numRuns: 100 },
      );
    }
  });
});

test('what is published is what is checked in, and nothing else', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(publishedSchemas).sort());
});

const breakages = ['remove', 'add', 'null', 'number', 'text', 'list'] as const;

/** Changes one place of a value, found by following `way` as far as it leads. */
function changed(value: unknown, way: readonly number[], change: (typeof breakages)[number]): unknown {
  let parent: Record<string, unknown> = value as Record<string, unknown>;
  let key = '';
  for (const step of way) {
    const keys = Object.keys(parent);
    if (keys.length === 0) break;
    key = keys[step % keys.length] ?? '';
    const next = parent[key];
    if (typeof next !== 'object' || next === null) break;
    if (step !== way.at(-1)) parent = next as Record<string, unknown>;
  }
  if (change === 'remove') delete parent[key];
  else if (change === 'add') parent.unknownKey = 1;
  else parent[key] = { null: null, number: 7.5, text: 'x', list: [] }[change];
  return value;
}
