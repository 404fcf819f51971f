import Type, { type Static } from 'typebox';
import { strict } from '../schema-terms.ts';
import { day, text } from './card-terms.ts';

/** What an authority or the maker says of the model as a medical device, and how people call that. */
export const regulatoryStatusNames = {
  none: 'no regulatory status',
  'not-a-device': 'held to be no medical device',
  exempt: 'medical device, exempt from review before it is put on the market',
  investigational: 'for a clinical investigation only',
  'in-house': 'made and used within one health institution',
  registered: 'medical device, registered by its maker',
  cleared: 'medical device, cleared',
  authorized: 'medical device, authorized',
  approved: 'medical device, approved',
  certified: 'medical device, certified by a notified body',
  withdrawn: 'withdrawn',
} as const;

export type RegulatoryStatusCode = keyof typeof regulatoryStatusNames;

/** The status in one jurisdiction. */
export const regulatorySchema = Type.Object(
  {
    status: Type.Unsafe<RegulatoryStatusCode>({
      type: 'string',
      enum: Object.keys(regulatoryStatusNames),
      description: 'the status',
    }),
    jurisdiction: Type.Optional(text('where it holds: a country (ISO 3166) or EU')),
    authority: Type.Optional(text('who decided, or under whose rules it is held to be so')),
    identifier: Type.Optional(text('number of the decision, certificate or registration')),
    date: Type.Optional(day('day of the decision')),
    deviceClass: Type.Optional(text('class of the device, such as IIa')),
    statement: text('what that means for whoever uses the model'),
  },
  { ...strict, description: 'regulatory status in one jurisdiction' },
);

export type RegulatoryStatus = Static<typeof regulatorySchema>;

/** Statuses that somebody decided: they need authority, identifier and date. */
export const decidedStatuses: readonly RegulatoryStatusCode[] = [
  'registered',
  'cleared',
  'authorized',
  'approved',
  'certified',
];
