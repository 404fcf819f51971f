import Type, { type Static } from 'typebox';
import { governanceSchema } from './card/governance-schema.ts';
import { conceptName, described, schemaLink, strict, token } from './schema-terms.ts';

const siteConcept = Type.Object(
  {
    codes: Type.Optional(
      Type.Array(token, {
        minItems: 1,
        uniqueItems: true,
        description: '`system|code` of this site that mean the concept too; nothing is taken away from it',
      }),
    ),
    complete: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        uniqueItems: true,
        description:
          'systems of `codes` of which every code that means the concept is listed, so that another code of them means something else',
      }),
    ),
    units: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 100 }), described(Type.String({ minLength: 1 }), 'UCUM'), {
        minProperties: 1,
        description: 'what a unit text means, in UCUM, where a value of this concept has no UCUM code',
      }),
    ),
  },
  { ...strict, minProperties: 1, description: 'what this site adds to one concept' },
);

const modelName = Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}(@\\d+\\.\\d+\\.\\d+)?$' });

/** The form of the file that SITE_FILE names: local codes and unit texts by the concepts of feature maps, and who answers for models. */
export const siteFileSchema = Type.Object(
  {
    $schema: schemaLink,
    id: Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$', description: 'name of the site, as results show it' }),
    version: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$',
      description: 'version of this file, as results show it; a new one with every change',
    }),
    concepts: Type.Record(conceptName, siteConcept, { ...strict, description: 'by the names that feature maps use' }),
    models: Type.Optional(
      Type.Record(modelName, governanceSchema, {
        ...strict,
        description: 'owner, risk tier and reviews by the id of a model, or by `id@version`; they change no number',
      }),
    ),
  },
  strict,
);

export type SiteFileContent = Static<typeof siteFileSchema>;
export type SiteConcept = Static<typeof siteConcept>;
