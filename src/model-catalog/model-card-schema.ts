import Type, { type Static } from 'typebox';
import { schemaLink, strict } from './schema-terms.ts';

/** The form of `model-card.json`: the one structured card of a model version, from which every rendering is made. */

const text = (description: string) => Type.String({ minLength: 1, description });
const texts = (description: string) => Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description });
const doi = Type.Optional(Type.String({ pattern: '^10\\.\\d{4,9}/\\S+$', description: 'DOI of the publication' }));

export const modelCardSchema = Type.Object(
  {
    $schema: schemaLink,
    schema: Type.Literal(1, { description: 'version of the form of the card' }),
    model: text('id of the model'),
    version: text('its version'),
    name: text('its name for people'),
    developer: Type.Object(
      { equation: text('who made the equation or trained the model'), implementation: text('who made this folder') },
      { ...strict, description: 'who made it' },
    ),
    intendedUse: Type.Object(
      {
        purpose: text('what it is for'),
        users: text('who reads the result'),
        population: text('about whom it may speak'),
        outOfScope: texts('what it must not be used for'),
      },
      { ...strict, description: 'for what, by whom and about whom it may be used' },
    ),
    algorithm: Type.Object(
      {
        type: text('kind of model'),
        development: text('how and on which data it was developed'),
        coefficients: Type.Object(
          {
            set: text('which published set'),
            source: text('where it is published'),
            doi,
            verification: text('how the numbers were checked'),
          },
          { ...strict, description: 'where the numbers of the artefact come from and how they were checked' },
        ),
      },
      { ...strict, description: 'how the number comes about' },
    ),
    inputs: Type.Array(Type.Object({ feature: text('name of the feature'), description: text('what it is') }, strict), {
      minItems: 1,
      description: 'what it reads',
    }),
    outputs: Type.Array(Type.Object({ outcome: text('id of the outcome'), description: text('what it is') }, strict), {
      minItems: 1,
      description: 'what it says',
    }),
    performance: Type.Array(
      Type.Object(
        {
          measure: text('such as C-statistic or calibration slope'),
          value: text('as published, with its interval'),
          population: text('in whom it was measured'),
          doi,
        },
        strict,
      ),
      { description: 'as published; empty where nothing is published' },
    ),
    fairness: Type.Object(
      {
        sensitiveInputs: Type.Array(Type.String({ minLength: 1 }), {
          description: 'inputs such as sex, race or postal code; empty where there are none',
        }),
        statement: text('what is known of differences between groups'),
      },
      { ...strict, description: 'what it means for different groups of people' },
    ),
    limitations: texts('what it cannot do'),
    codeLists: Type.Array(
      Type.Object({ feature: text('name of the feature'), source: text('where its codes come from') }, strict),
      { description: 'where the codes of the feature map come from' },
    ),
    explanation: text('how contributions are to be read'),
    regulatory: text('regulatory status'),
    licence: Type.Object(
      { software: text('of this folder'), equation: text('of the equation or the weights') },
      { ...strict, description: 'licences' },
    ),
    sources: Type.Array(Type.Object({ citation: text('where it is published'), doi }, strict), {
      minItems: 1,
      description: 'publications that the card rests on',
    }),
  },
  strict,
);

export type ModelCard = Static<typeof modelCardSchema>;
