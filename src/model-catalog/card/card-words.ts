import type { Manifest } from '../manifest-schema.ts';
import type { ModelCard } from '../model-card-schema.ts';
import { isAvailable, type NotAvailable } from './card-terms.ts';
import { type Measure, measureNames, settingNames } from './measure-schema.ts';
import { type RegulatoryStatus, regulatoryStatusNames } from './regulatory-schema.ts';

// What a card says, in words; the same in every rendering.

export const notAvailableText = 'not available';

/** A statement of the card, or that it is not available, and why, where the card says so. */
export function knownWords(value: string | NotAvailable | undefined): string {
  if (isAvailable(value)) return value;
  return value === undefined ? notAvailableText : `${notAvailableText}: ${value.notAvailable}`;
}

export function ownerWords({ owner }: Pick<ModelCard, 'owner'>): string {
  return isAvailable(owner) ? `${owner.name}, ${owner.contact}` : knownWords(owner);
}

export function riskTierWords({ riskTier }: Pick<ModelCard, 'riskTier'>): string {
  if (!isAvailable(riskTier)) return knownWords(riskTier);
  const { scheme, tier, because } = riskTier;
  return `${tier} (${scheme})${because === undefined ? '' : `: ${because}`}`;
}

/** @param today `YYYY-MM-DD`: a review that was due before is overdue */
export function reviewWords({ review }: Pick<ModelCard, 'review'>, today: string): string {
  if (!isAvailable(review)) return knownWords(review);
  return `last ${review.last}, next ${review.next}${isOverdue({ review }, today) ? ' (overdue)' : ''}`;
}

/** Whether the day of the next review has passed. Dates of the form `YYYY-MM-DD` compare as texts. */
export function isOverdue({ review }: Pick<ModelCard, 'review'>, today: string): boolean {
  return isAvailable(review) && review.next < today;
}

export function regulatoryWords({
  status,
  jurisdiction,
  authority,
  identifier,
  date,
  deviceClass,
  statement,
}: RegulatoryStatus): string {
  const details = [
    authority,
    jurisdiction,
    identifier,
    date,
    deviceClass === undefined ? undefined : `class ${deviceClass}`,
  ].filter((detail) => detail !== undefined);
  const decided = details.length === 0 ? '' : ` (${details.join(', ')})`;
  return `${upperFirst(regulatoryStatusNames[status])}${decided}. ${statement}`;
}

export function roleWords({ intendedUse: { role } }: Pick<ModelCard, 'intendedUse'>): string {
  return role === undefined ? notAvailableText : `${upperFirst(role.level)} clinical management. ${role.statement}`;
}

export function measureName({ measure, threshold }: Measure): string {
  const name = measureNames[measure] ?? measure;
  return threshold === undefined ? name : `${name} at a threshold of ${threshold}`;
}

/** The value with its interval: `0.76 (95 % interval 0.7 to 0.81, bootstrap)`. */
export function measuredWords({ value, interval }: Measure): string {
  if (interval === undefined) return String(value);
  const { low, high, level, method } = interval;
  return `${value} (${Number((level * 100).toPrecision(6))} % interval ${low} to ${high}, ${method})`;
}

export function settingWords({ setting }: Measure): string {
  return setting === undefined ? 'setting not stated' : settingNames[setting];
}

/** In whom: `women; 9,000 people in 3 cohorts; n 9000, 120 events`. */
export function measuredInWords({ group, population, n, events }: Measure): string {
  const counted = [n === undefined ? [] : [`n ${n}`], events === undefined ? [] : [`${events} events`]].flat();
  return [
    ...(group === undefined ? [] : [group]),
    population,
    ...(counted.length === 0 ? [] : [counted.join(', ')]),
  ].join('; ');
}

/** One measure as a sentence. */
export function measureSentence(measure: Measure, { outcomes }: Pick<Manifest, 'outcomes'>): string {
  const about = outcomes.find(({ id }) => id === measure.outcome);
  const of = about === undefined ? '' : ` of ${about.label}`;
  const doi = measure.doi === undefined ? '' : `; doi:${measure.doi}`;
  return `${measureName(measure)}${of}: ${measuredWords(measure)}; ${measuredInWords(measure)}; ${settingWords(measure)}${doi}`;
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
