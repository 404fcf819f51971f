import { assertedInputsSchema } from './asserted-inputs-schema.ts';
import { bulkExport } from './bulk-export.ts';
import { featureTable } from './feature-table.ts';
import type { ModelVersion } from './model-version.ts';
import { prefetchTemplates } from './prefetch-templates.ts';
import { requirementsLibrary } from './requirements-library.ts';
import { smartScopes } from './smart-scopes.ts';

/** What is made from a feature map for those who provide its data. */
export type ModelOutput = Pick<ModelVersion, 'manifest' | 'featureMap' | 'uses' | 'gathered' | 'card'>;

type OptOutBy = readonly ('consent' | 'group')[];

interface Output {
  /** One line for a list of commands. */
  readonly summary: string;
  /** Whether it can be made for several models at once. */
  readonly joins: boolean;
  /** `text/markdown` is a text; everything else is JSON. */
  readonly contentType: string;
  make(versions: readonly ModelOutput[], optOutBy: OptOutBy): unknown;
}

/** Of what is read, that of other models whose outputs are taken included. */
const maps = (versions: readonly ModelOutput[]) => versions.map(({ gathered }) => gathered);

/** Every output, by its name: the last part of its address, and the option of `fhirsight describe`. */
const modelOutputs = {
  prefetch: {
    summary: 'CDS Hooks prefetch templates',
    joins: false,
    contentType: 'application/json',
    make: (versions, optOutBy) => Object.assign({}, ...maps(versions).map((map) => prefetchTemplates(map, optOutBy))),
  },
  'bulk-export': {
    summary: '_type and _typeFilter of a Bulk Data export',
    joins: true,
    contentType: 'application/json',
    make: (versions, optOutBy) => bulkExport(maps(versions), optOutBy),
  },
  scopes: {
    summary: 'SMART scopes, versions 1 and 2',
    joins: true,
    contentType: 'application/json',
    make: (versions, optOutBy) => smartScopes(maps(versions), optOutBy),
  },
  library: {
    summary: 'FHIR Library with the data requirements',
    joins: false,
    contentType: 'application/fhir+json',
    make: ([version], optOutBy) => version && requirementsLibrary(version, optOutBy),
  },
  'input-schema': {
    summary: 'JSON Schema of the inputs that a caller may assert',
    joins: false,
    contentType: 'application/schema+json',
    make: ([version]) => version && assertedInputsSchema(version),
  },
  features: {
    summary: 'the features as a table in Markdown',
    joins: false,
    contentType: 'text/markdown',
    make: (versions) => maps(versions).map(featureTable).join('\n'),
  },
} satisfies Record<string, Output>;

export type OutputName = keyof typeof modelOutputs;

export const outputNames = Object.keys(modelOutputs) as readonly OutputName[];

/** Undefined where there is no output of that name. */
export function findOutput(name: string): Output | undefined {
  return Object.hasOwn(modelOutputs, name) ? modelOutputs[name as OutputName] : undefined;
}

/** The text of an output. */
export function outputText(
  { contentType, make }: Output,
  versions: readonly ModelOutput[],
  optOutBy: OptOutBy,
): string {
  const made = make(versions, optOutBy);
  return contentType === 'text/markdown' ? String(made) : `${JSON.stringify(made, null, 2)}\n`;
}
