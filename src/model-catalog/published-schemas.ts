import type { TSchema } from 'typebox';
import { evaluationReportSchema } from './evaluation-report-schema.ts';
import { featureMapSchema } from './feature-map-schema.ts';
import { goldenFileSchema } from './golden-case-schema.ts';
import { labelEventSchema } from './label-event-schema.ts';
import { manifestSchema } from './manifest-schema.ts';
import { modelCardSchema } from './model-card-schema.ts';
import { siteFileSchema } from './site-file-schema.ts';

/** A JSON Schema, or a part of one. */
export type JsonSchema = { readonly [keyword: string]: unknown };

const dialect = 'http://json-schema.org/draft-07/schema#';
const canonical = 'https://fhirsight.org/schemas';

/** The JSON Schemas of the files of a model folder, of a site file, of a report and of labels, by the name under which each is published. */
export const publishedSchemas: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  [
    published('feature-map', 'feature-map.json of a fhirsight model', featureMapSchema),
    published('manifest', 'manifest.json of a fhirsight model', manifestSchema),
    published('golden-case', 'golden/*.json of a fhirsight model', goldenFileSchema),
    published('model-card', 'model-card.json of a fhirsight model', modelCardSchema),
    published('site', 'site file of fhirsight', siteFileSchema),
    published('evaluation-report', 'report of fhirsight evaluate', evaluationReportSchema),
    published('label-event', 'labels in FHIR terms for fhirsight evaluate', labelEventSchema),
  ].map((schema) => [String(schema.$id).slice(canonical.length + 1), schema]),
);

/** The text of the file of a published schema. */
export function schemaText(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function published(name: string, title: string, schema: TSchema): JsonSchema {
  const plain = JSON.parse(JSON.stringify(schema)) as JsonSchema;
  return { $schema: dialect, $id: `${canonical}/${name}.schema.json`, title, ...forEveryValidator(plain) };
}

/** Without what draft 7 does not know, and with the name of its kind described by what the kind is. */
function forEveryValidator(schema: JsonSchema): JsonSchema {
  const { discriminator, ...known } = schema;
  const made = Object.fromEntries(Object.entries(known).map(([keyword, value]) => [keyword, plainOf(value)]));
  const { properties, description } = made as { properties?: Record<string, JsonSchema>; description?: string };
  const kind = properties?.kind;
  if (kind === undefined || kind.const === undefined || description === undefined) return made;
  return { ...made, properties: { ...properties, kind: { ...kind, description } } };
}

function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainOf);
  return typeof value === 'object' && value !== null ? forEveryValidator(value as JsonSchema) : value;
}
