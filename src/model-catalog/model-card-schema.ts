import Type, { type Static } from 'typebox';
import { doi, known, knownText, text, texts } from './card/card-terms.ts';
import { ownerSchema, reviewSchema, riskTierSchema } from './card/governance-schema.ts';
import { measureSchema } from './card/measure-schema.ts';
import { regulatorySchema } from './card/regulatory-schema.ts';
import { schemaLink, strict } from './schema-terms.ts';

/**
 * The form of `model-card.json`: the one structured card of a model version, from which every rendering is made. What a
 * card leaves out is rendered as not available, as is what it says to be `notAvailable`, with the reason.
 */

const optionalText = (description: string) => Type.Optional(knownText(description));

export const modelCardSchema = Type.Object(
  {
    $schema: schemaLink,
    schema: Type.Literal(2, { description: 'version of the form of the card' }),
    model: text('id of the model'),
    version: text('its version'),
    name: text('its name for people'),
    owner: known(ownerSchema, 'who answers for the use of the model where it runs'),
    developer: Type.Object(
      {
        equation: text('who made the equation or trained the model'),
        implementation: text('who made this folder'),
        contact: optionalText('how to reach the developer'),
      },
      { ...strict, description: 'who made it' },
    ),
    funding: optionalText('who paid for the technical implementation'),
    intendedUse: Type.Object(
      {
        purpose: text('what it is for'),
        users: text('who reads the result'),
        population: text('about whom it may speak'),
        role: Type.Optional(
          Type.Object(
            {
              level: Type.Union([Type.Literal('informs'), Type.Literal('augments'), Type.Literal('replaces')], {
                description: 'whether it informs, augments or replaces clinical management',
              }),
              statement: text('what part it has in the decision'),
            },
            { ...strict, description: 'its role in decisions' },
          ),
        ),
        outOfScope: texts('what it must not be used for'),
      },
      { ...strict, description: 'for what, by whom and about whom it may be used' },
    ),
    regulatory: Type.Array(regulatorySchema, { minItems: 1, description: 'regulatory status, by jurisdiction' }),
    riskTier: known(riskTierSchema, 'how much harm the model could do'),
    review: known(reviewSchema, 'when somebody looked at whether the model may still be used'),
    algorithm: Type.Object(
      {
        type: text('kind of model'),
        development: text('how and on which data it was developed'),
        coefficients: Type.Optional(
          Type.Object(
            {
              set: text('which published set'),
              source: text('where it is published'),
              doi,
              verification: text('how the numbers were checked'),
            },
            {
              ...strict,
              description:
                'of a published equation: where the numbers of the artefact come from and how they were checked',
            },
          ),
        ),
      },
      { ...strict, description: 'how the number comes about' },
    ),
    trainingData: Type.Optional(
      Type.Object(
        {
          source: optionalText('where the data come from'),
          criteria: optionalText('who was included and excluded'),
          demographics: optionalText('how far the people represent those whom the model is for'),
          relevance: optionalText('what the data have to do with where the model is used'),
        },
        { ...strict, description: 'the data that the model was made from' },
      ),
    ),
    inputs: Type.Array(Type.Object({ feature: text('name of the feature'), description: text('what it is') }, strict), {
      minItems: 1,
      description: 'what it reads',
    }),
    outputs: Type.Array(Type.Object({ outcome: text('id of the outcome'), description: text('what it is') }, strict), {
      minItems: 1,
      description: 'what it says',
    }),
    performance: Type.Array(measureSchema, { description: 'what was measured; empty where nothing is known' }),
    effectOnOutcomes: optionalText('evaluations of what the use of the model does to the outcomes of patients'),
    fairness: Type.Object(
      {
        sensitiveInputs: Type.Array(Type.String({ minLength: 1 }), {
          description: 'inputs such as sex, race or postal code; empty where there are none',
        }),
        statement: text('what is known of differences between groups'),
        approach: optionalText('what was done in development to make the output fair'),
        biasManagement: optionalText('what was done to manage, reduce or eliminate bias'),
      },
      { ...strict, description: 'what it means for different groups of people' },
    ),
    externalValidation: Type.Optional(
      Type.Object(
        {
          source: optionalText('in which data, of which setting, other than those it was made from'),
          party: optionalText('who tested it'),
          demographics: optionalText('how far these people represent those whom the model is for'),
          process: optionalText('how it was tested'),
        },
        { ...strict, description: 'tests in data of another source' },
      ),
    ),
    maintenance: Type.Optional(
      Type.Object(
        {
          validityMonitoring: optionalText('how and how often validity is monitored'),
          localValidity: optionalText('validity in data of the site'),
          fairnessMonitoring: optionalText('how and how often fairness is monitored'),
          localFairness: optionalText('fairness in data of the site'),
          updates: optionalText('how and how often the model is updated'),
          corrections: optionalText('how often performance is corrected once a risk was found'),
        },
        { ...strict, description: 'what happens while it is in use' },
      ),
    ),
    limitations: texts('what it cannot do'),
    codeLists: Type.Array(
      Type.Object({ feature: text('name of the feature'), source: text('where its codes come from') }, strict),
      { description: 'where the codes of the feature map come from' },
    ),
    explanation: text('how contributions are to be read'),
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
