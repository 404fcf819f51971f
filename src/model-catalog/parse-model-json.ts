import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { type FeatureMapFile, featureMapSchema } from './feature-map-schema.ts';
import type { Finding } from './finding.ts';
import { type GoldenFileText, goldenFileSchema } from './golden-case-schema.ts';
import { type LabelEvent, labelEventSchema } from './label-event-schema.ts';
import { type Manifest, manifestSchema } from './manifest-schema.ts';
import { type ModelCard, modelCardSchema } from './model-card-schema.ts';
import { type SiteFileContent, siteFileSchema } from './site-file-schema.ts';
import { type ValueSetFile, valueSetSchema } from './value-set-schema.ts';

const ajv = new Ajv({
  allErrors: true,
  discriminator: true,
  strict: true,
  // The schema language of feature maps has values of several types in one place.
  allowUnionTypes: true,
  // A file is read once; making the code of its check shorter takes longer than that.
  code: { optimize: false },
  formats: { uri: (text: string) => /^[a-z][a-z0-9+.-]*:\S+$/i.test(text) && URL.canParse(text) },
});

/** Bytes of one JSON file to its type; where they do not fit, undefined, and a finding for each reason. */
export type JsonParser<T> = (file: string, bytes: Uint8Array, findings: Finding[]) => T | undefined;

export const parseManifest: JsonParser<Manifest> = parser<Manifest>(manifestSchema);
export const parseFeatureMap: JsonParser<FeatureMapFile> = parser<FeatureMapFile>(featureMapSchema);
export const parseModelCard: JsonParser<ModelCard> = parser<ModelCard>(modelCardSchema);
export const parseGoldenFile: JsonParser<GoldenFileText> = parser<GoldenFileText>(goldenFileSchema);
export const parseValueSet: JsonParser<ValueSetFile> = parser<ValueSetFile>(valueSetSchema);
export const parseSiteFile: JsonParser<SiteFileContent> = parser<SiteFileContent>(siteFileSchema);
export const parseLabelEvent: JsonParser<LabelEvent> = parser<LabelEvent>(labelEventSchema);

/** Its schema is compiled when the first file is read: a command that reads no model waits for none of them. */
function parser<T>(schema: TSchema): JsonParser<T> {
  let validate: ValidateFunction<T> | undefined;
  return (file, bytes, findings) => {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch (error) {
      findings.push({
        file,
        path: '',
        message: `is not JSON in UTF-8: ${error instanceof Error ? error.message : error}`,
      });
      return undefined;
    }
    validate ??= ajv.compile<T>(schema);
    if (validate(value)) return value;
    for (const error of distinct(validate.errors ?? []))
      findings.push({ file, path: error.instancePath, message: describe(error) });
    return undefined;
  };
}

/** A union reports the failure of each branch; the summary `anyOf` error says no more than they do. */
function distinct(errors: readonly ErrorObject[]): ErrorObject[] {
  const useful = errors.filter((error) => error.keyword !== 'anyOf' && error.keyword !== 'oneOf');
  const seen = new Set<string>();
  return (useful.length > 0 ? useful : [...errors]).filter((error) => {
    const key = `${error.instancePath} ${describe(error)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function describe(error: ErrorObject): string {
  const { params, message = 'is invalid' } = error;
  switch (error.keyword) {
    case 'additionalProperties':
      return `must not have the key "${params.additionalProperty}"`;
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case 'discriminator':
      return `key "${params.tag}" is ${JSON.stringify(params.tagValue) ?? 'absent'}, which is no known ${params.tag}`;
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`;
    default:
      return message;
  }
}
