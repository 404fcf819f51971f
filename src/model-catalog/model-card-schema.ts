import Type, { type Static } from 'typebox';

/** The form of `model-card.json`: the one structured card of a model version, from which every rendering is made. */

const strict = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1 });
const texts = Type.Array(text, { minItems: 1 });
const doi = Type.String({ pattern: '^10\\.\\d{4,9}/\\S+$' });

export const modelCardSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    schema: Type.Literal(1),
    model: text,
    version: text,
    name: text,
    developer: Type.Object({ equation: text, implementation: text }, strict),
    intendedUse: Type.Object({ purpose: text, users: text, population: text, outOfScope: texts }, strict),
    algorithm: Type.Object(
      {
        type: text,
        development: text,
        coefficients: Type.Object(
          { set: text, source: text, doi: Type.Optional(doi), verification: text },
          { ...strict, description: 'where the numbers of the artefact come from and how they were checked' },
        ),
      },
      strict,
    ),
    inputs: Type.Array(Type.Object({ feature: text, description: text }, strict), { minItems: 1 }),
    outputs: Type.Array(Type.Object({ outcome: text, description: text }, strict), { minItems: 1 }),
    performance: Type.Array(
      Type.Object({ measure: text, value: text, population: text, doi: Type.Optional(doi) }, strict),
      { description: 'as published; empty where nothing is published' },
    ),
    fairness: Type.Object({ sensitiveInputs: Type.Array(text), statement: text }, strict),
    limitations: texts,
    codeLists: Type.Array(Type.Object({ feature: text, source: text }, strict), {
      description: 'where the codes of the feature map come from',
    }),
    explanation: text,
    regulatory: text,
    licence: Type.Object({ software: text, equation: text }, strict),
    sources: Type.Array(Type.Object({ citation: text, doi: Type.Optional(doi) }, strict), { minItems: 1 }),
  },
  strict,
);

export type ModelCard = Static<typeof modelCardSchema>;
