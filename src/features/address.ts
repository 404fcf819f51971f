import type { Address } from '@medplum/fhirtypes';
import type { AddressDefinition } from '../model-catalog/address-schema.ts';
import { compileKey, countryKey } from '../model-catalog/lookup-key.ts';
import type { Lookup } from '../model-catalog/read-lookups.ts';
import { type ExtractionContext, type FeatureExtractor, missing } from './feature-extractor.ts';
import { periodAt } from './period-at.ts';
import { firstReason, type Unread } from './pick-by-content.ts';
import { changesMeaning } from './unknown-meaning.ts';

type Reading = { readonly value: number | string } | Unread;

/**
 * A part of the address at as-of: as a code, or what a table gives for it. Addresses of the declared uses count, in whose
 * period as-of lies; one without a period counts always. All of them must say the same.
 * @param lookup the rows of the table, where the feature names one
 */
export function compileAddress(definition: AddressDefinition, lookup: Lookup | undefined): FeatureExtractor {
  const { label, part, use, vocabulary = {} } = definition;
  if (definition.lookup !== undefined && lookup === undefined)
    throw new RangeError(`the table ${definition.lookup.table} was not read`);
  const uses: readonly string[] = use;
  const keyOf = compileKey(definition.key);
  const codes = new Map(Object.entries(vocabulary).flatMap(([code, texts]) => texts.map((text) => [text, code])));

  const inCountry = compileInCountry(label, definition);

  const read = (address: Address): Reading => {
    const elsewhere = inCountry(address);
    if (elsewhere !== undefined) return elsewhere;
    const text = address[part];
    if (text === undefined || text.trim() === '')
      return { because: 'not-found', detail: `${label}: an address does not say its ${part}` };
    const key = keyOf(text);
    if (key === undefined) return { because: 'undecodable', detail: `${label}: the ${part} has no form that is known` };
    const value = (lookup ?? codes).get(key);
    if (value !== undefined) return { value };
    return lookup === undefined
      ? { because: 'not-in-vocabulary', detail: `${label}: the model does not know the ${part}` }
      : { because: 'not-in-table', detail: `${label}: the table has no row for the ${part}` };
  };

  return (context) => {
    const { patient } = context.record;
    const sources = [context.record.sourceReference(patient)];
    const absent = ({ because, detail }: Unread) => missing(because, detail, sources);
    if (changesMeaning(patient))
      return absent({ because: 'undecodable', detail: 'the Patient carries a modifier that is not known here' });
    const current: Reading[] = [];
    const perhaps: Reading[] = [];
    const former: Reading[] = [];
    for (const address of patient.address ?? []) {
      const standing = periodAt(context, address.period);
      if (standing === 'elsewhen') continue;
      if (address.use === 'old') {
        if (mayHaveBeenThen(context, address)) former.push(read(address));
      } else if (uses.includes(address.use ?? 'unstated'))
        (standing === 'current' ? current : perhaps).push(read(address));
    }
    const agreed = agreement(label, current);
    const differs = (reading: Reading): boolean =>
      !('value' in reading) || !('value' in agreed) || reading.value !== agreed.value;
    if (former.some(differs))
      return absent({
        because: 'status-at-time-unknown',
        detail: `${label}: an address that is no longer in use may have been the one at as-of`,
      });
    if (perhaps.some(differs))
      return absent({
        because: 'time-unknown',
        detail: `${label}: whether as-of lies in the period of an address cannot be told`,
      });
    if (!('value' in agreed)) return absent(agreed);
    const { value } = agreed;
    return definition.lookup === undefined
      ? { state: 'observed', value, sources }
      : { state: 'derived', value, from: [], detail: `${part} by ${definition.lookup.table}`, sources };
  };
}

/** Why an address is not one that the table is of; undefined where it is. */
function compileInCountry(label: string, { lookup }: AddressDefinition): (address: Address) => Unread | undefined {
  const country = lookup?.country;
  if (country === undefined) return () => undefined;
  return ({ country: text }) => {
    if (text === undefined || text.trim() === '')
      return country.unstated === 'in'
        ? undefined
        : { because: 'undecodable', detail: `${label}: an address does not say its country` };
    if (country.of.includes(countryKey(text))) return undefined;
    return { because: 'not-in-table', detail: `${label}: the table is of another country` };
  };
}

/** What all current addresses say; where one of several is silent, it may be the one that matters. */
function agreement(label: string, current: readonly Reading[]): Reading {
  const unread = current.filter((reading) => 'because' in reading);
  const [first, ...others] = current.filter((reading) => 'value' in reading);
  if (first !== undefined && others.some(({ value }) => value !== first.value))
    return { because: 'conflict', detail: `${label}: current addresses say different things` };
  const why = firstReason(unread);
  if (why === undefined)
    return (
      first ?? { because: 'not-found', detail: `${label}: the Patient has no current address of a use that counts` }
    );
  const isSilent = why.because === 'not-found' && unread.length < current.length;
  return isSilent ? { because: 'undecodable', detail: `${why.detail}, and another one does` } : why;
}

/** An address that is marked as old today: it may have been in use at as-of if the Patient has changed since, or, where that is not known, if its period says so. */
function mayHaveBeenThen(context: ExtractionContext, { period }: Address): boolean {
  const changed = context.rangeOf(context.record.patient.meta?.lastUpdated);
  return changed === undefined
    ? period?.start !== undefined || period?.end !== undefined
    : changed.start > context.asOf;
}
