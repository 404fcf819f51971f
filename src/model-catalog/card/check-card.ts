import type { FeatureMap } from '../feature-map-schema.ts';
import type { Finding } from '../finding.ts';
import type { Manifest } from '../manifest-schema.ts';
import type { ModelCard } from '../model-card-schema.ts';
import { inputColumns } from '../model-tensors.ts';
import { isAvailable } from './card-terms.ts';
import type { Review } from './governance-schema.ts';
import { type Measure, measureNames } from './measure-schema.ts';
import { decidedStatuses, type RegulatoryStatus } from './regulatory-schema.ts';

/** A card that speaks of another model, forgets an input or an outcome, or claims what it does not back misleads its reader. */
export function checkCard(card: ModelCard, manifest: Manifest, map: FeatureMap): Finding[] {
  const found = (path: string, message: string): Finding => ({ file: 'model-card.json', path, message });
  const columns = new Set(inputColumns(manifest).map(({ feature }) => feature));
  const described = new Set(card.inputs.map(({ feature }) => feature));
  const outcomes = new Set(manifest.outcomes.map(({ id }) => id));
  const outputs = new Set(card.outputs.map(({ outcome }) => outcome));
  return [
    ...(card.model === manifest.id ? [] : [found('/model', `is ${card.model}, the manifest says ${manifest.id}`)]),
    ...(card.version === manifest.version
      ? []
      : [found('/version', `is ${card.version}, the manifest says ${manifest.version}`)]),
    ...[...columns.difference(described)].map((name) => found('/inputs', `does not describe ${name}`)),
    ...[...described.difference(columns)].map((name) => found('/inputs', `${name} is no input column`)),
    ...[...outcomes.difference(outputs)].map((id) => found('/outputs', `does not describe ${id}`)),
    ...[...outputs.difference(outcomes)].map((id) => found('/outputs', `${id} is no outcome of the manifest`)),
    ...card.codeLists
      .filter(({ feature }) => !Object.hasOwn(map.features, feature))
      .map(({ feature }) => found('/codeLists', `${feature} is no feature of the map`)),
    ...[...columns]
      .filter((name) => map.features[name]?.kind === 'demographics' && !card.fairness.sensitiveInputs.includes(name))
      .map((name) => found('/fairness/sensitiveInputs', `does not name ${name}, which the record has of the person`)),
    ...card.performance.flatMap((measure, index) =>
      measureFaults(measure, outcomes).map(([key, message]) => found(`/performance/${index}${key}`, message)),
    ),
    ...card.regulatory.flatMap((status, index) =>
      unbacked(status).map((message) => found(`/regulatory/${index}`, message)),
    ),
    ...faultsOfReview(card).map((message) => found('/review', message)),
  ];
}

/** Pointer below the measure, and what is wrong there. */
function measureFaults(measure: Measure, outcomes: ReadonlySet<string>): [string, string][] {
  const { outcome, interval, value, n, events, doi, setting } = measure;
  const faults: [string, string][] = [];
  if (outcome !== undefined && !outcomes.has(outcome))
    faults.push(['/outcome', `${outcome} is no outcome of the manifest`]);
  // A code is in lower case; a measure in words starts with a capital, so that a misspelt code is not taken for words.
  if (/^[a-z]/.test(measure.measure) && !Object.hasOwn(measureNames, measure.measure))
    faults.push([
      '/measure',
      `${measure.measure} is no code of a measure (${Object.keys(measureNames).join(', ')}); words start with an upper-case letter`,
    ]);
  const upsideDown = interval !== undefined && interval.low > interval.high;
  if (upsideDown) faults.push(['/interval', `ends at ${interval.high}, before it starts at ${interval.low}`]);
  if (
    interval !== undefined &&
    !upsideDown &&
    typeof value === 'number' &&
    (value < interval.low || value > interval.high)
  )
    faults.push(['/interval', `${interval.low} to ${interval.high} does not hold the value ${value}`]);
  if (n !== undefined && events !== undefined && events > n)
    faults.push(['/events', `${events} are more than n, ${n}`]);
  // Where nothing is published, the card is all that a reader has.
  if (doi === undefined) {
    const missing = [
      ...(typeof value === 'number' ? [] : ['a number as value']),
      ...(interval === undefined ? ['interval'] : []),
      ...(n === undefined ? ['n'] : []),
      ...(setting === undefined ? ['setting'] : []),
    ];
    if (missing.length > 0) faults.push(['', `is not published (no doi) and needs ${missing.join(', ')}`]);
  }
  return faults;
}

/** What an authority decided has a date and a number by which it can be looked up. */
function unbacked(regulatory: RegulatoryStatus): string[] {
  const { status } = regulatory;
  const needed: readonly (keyof RegulatoryStatus)[] = decidedStatuses.includes(status)
    ? ['jurisdiction', 'authority', 'identifier', 'date']
    : status === 'not-a-device' || status === 'exempt'
      ? ['jurisdiction', 'authority']
      : [];
  const missing = needed.filter((key) => regulatory[key] === undefined);
  return missing.length === 0 ? [] : [`${status} needs ${missing.join(', ')}; without them the status is none`];
}

function faultsOfReview({ review }: ModelCard): string[] {
  const fault = isAvailable(review) ? reviewFault(review) : undefined;
  return fault === undefined ? [] : [fault];
}

/** What is wrong with the days of a review. */
export function reviewFault({ last, next }: Review): string | undefined {
  const wrong = [last, next].find((day) => !isDay(day));
  if (wrong !== undefined) return `${wrong} is no day of the calendar`;
  return next > last ? undefined : `the next one, ${next}, is not after the last one, ${last}`;
}

function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
