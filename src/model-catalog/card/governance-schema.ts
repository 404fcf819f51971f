import Type, { type Static } from 'typebox';
import { strict } from '../schema-terms.ts';
import { day, text } from './card-terms.ts';

// What a hospital has to say of a model that it runs: its card may, and the site file has the last word.

export const ownerSchema = Type.Object(
  { name: text('person or office'), contact: text('address, such as an e-mail address or a URL') },
  { ...strict, description: 'who answers for the use of the model where it runs' },
);
export const riskTierSchema = Type.Object(
  {
    scheme: text('name of the scheme that the tier is of'),
    tier: text('the tier'),
    because: Type.Optional(text('why it is in this tier')),
  },
  { ...strict, description: 'how much harm the model could do' },
);
export const reviewSchema = Type.Object(
  { last: day('day of the last review'), next: day('day by which the next one is due') },
  { ...strict, description: 'when somebody looked at whether the model may still be used' },
);

/** What a site file says of one model or of one version of it. */
export const governanceSchema = Type.Object(
  {
    owner: Type.Optional(ownerSchema),
    riskTier: Type.Optional(riskTierSchema),
    review: Type.Optional(reviewSchema),
  },
  { ...strict, minProperties: 1, description: 'what this site says of the model in the place of its card' },
);

export type Governance = Static<typeof governanceSchema>;
export type Review = Static<typeof reviewSchema>;
