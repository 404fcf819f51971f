import Type, { type Static } from 'typebox';
import { strict } from './schema-terms.ts';

/** How the contributions of a score are computed: `explanation` of `manifest.json`. */
export const explanationSchema = Type.Object(
  {
    method: Type.Literal('occlusion', {
      description: 'the difference made by the value of the reference person in the place of one input',
    }),
    reference: Type.Record(Type.String(), Type.Union([Type.Number(), Type.Boolean(), Type.String()]), {
      description: 'the reference person: a value for each input feature that may be occluded',
    }),
    because: Type.String({ minLength: 1, description: 'why these values' }),
  },
  { ...strict, description: 'how contributions are computed' },
);

export type Explanation = Static<typeof explanationSchema>;
