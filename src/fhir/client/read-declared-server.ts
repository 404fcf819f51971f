import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import Type, { type Static } from 'typebox';
import { PredictionError } from '../../platform/errors.ts';

const strict = { additionalProperties: false } as const;
const names = (description: string) =>
  Type.Array(Type.String({ pattern: '^[!-+\\--~]+$' }), { minItems: 1, uniqueItems: true, description });

/** The form of the file of FHIR_SERVER_PROFILE: what a site knows of its FHIR server, and its own searches. */
const declaredServerSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    pageSize: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: '_count of each search; default 200' }),
    ),
    metadata: Type.Optional(
      Type.Union([Type.Literal('read'), Type.Literal('ignore')], {
        description: 'ignore: /metadata is not read; default read',
      }),
    ),
    types: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Z][A-Za-z]+$' }),
        Type.Object(
          {
            parameters: Type.Optional(names('search parameters that the server knows, whatever /metadata says')),
            needs: Type.Optional(names('a search must name one of these parameters')),
            allCategories: Type.Optional(
              names(
                'every category that the server files resources of the type under, as system|code or code: what has another one, or none, is not found',
              ),
            ),
          },
          strict,
        ),
        strict,
      ),
    ),
    queries: Type.Optional(
      Type.Record(Type.String(), Type.Record(Type.String(), Type.String({ minLength: 1 })), {
        description: 'by model id and key of the query: the search in its place',
      }),
    ),
  },
  strict,
);

/** What the file says; keys of `queries` are judged with the models. */
export type DeclaredServerFile = Static<typeof declaredServerSchema>;

/** Every category of a type, where the site declares them. */
export function categoriesOf({
  types = {},
}: DeclaredServerFile): Readonly<Record<string, readonly string[] | undefined>> {
  return Object.fromEntries(Object.entries(types).map(([type, { allCategories }]) => [type, allCategories]));
}

/**
 * Reads the file of FHIR_SERVER_PROFILE; no file says nothing.
 * Throws CONFIG_INVALID with one issue per fault: file, JSON path, what is allowed.
 */
export async function readDeclaredServer(file: string | undefined): Promise<DeclaredServerFile> {
  if (file === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file)));
  } catch (cause) {
    throw invalid(file, ['cannot be read as JSON in UTF-8; name a file that this user may read, or unset it.'], cause);
  }
  const validate = new Ajv({ allErrors: true, strict: true }).compile<DeclaredServerFile>(declaredServerSchema);
  if (validate(value)) return value;
  const faults = (validate.errors ?? []).map(
    ({ instancePath, params, keyword, message = 'is invalid' }) =>
      `${instancePath || 'the top level'} ${keyword === 'additionalProperties' ? `has the unknown key '${params.additionalProperty}'` : message}.`,
  );
  throw invalid(file, [...new Set(faults)]);
}

function invalid(file: string, faults: readonly string[], cause?: unknown): PredictionError {
  const messages = faults.map((fault) => `FHIR_SERVER_PROFILE ${file}: ${fault}`);
  return new PredictionError('CONFIG_INVALID', messages.join('\n'), {
    issues: messages.map((message) => ({ message })),
    cause,
  });
}
