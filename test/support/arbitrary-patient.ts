import type { Address, Extension, Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import type { AddressDefinition, DemographicsDefinition } from '../../src/model-catalog/feature-map-schema.ts';
import type { Lookup } from '../../src/model-catalog/read-lookups.ts';
import { among, codingOf, lastUpdated, mostly, periods, seldom, under } from './arbitrary-terms.ts';
import { asSent } from './re-express.ts';

/** What the maps read of a Patient. */
export interface PatientTerms {
  readonly demographics: readonly DemographicsDefinition[];
  readonly addresses: readonly { readonly definition: AddressDefinition; readonly lookup: Lookup | undefined }[];
}

const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-';
const clinicalUse = 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse';

/** Patient/1. */
export function arbitraryPatient({ demographics, addresses }: PatientTerms): fc.Arbitrary<Patient> {
  const vocabulary = (...elements: readonly string[]): string[] =>
    demographics
      .filter(({ element }) => elements.includes(element))
      .flatMap((definition) => Object.values(definition.vocabulary ?? {}).flat());
  const extensions = [
    omb('race', vocabulary('race')),
    omb('ethnicity', vocabulary('ethnicity')),
    sexes(vocabulary('sex', 'birth-sex')),
  ].flat();
  return fc
    .record({
      resourceType: fc.constant('Patient'),
      id: fc.constant('1'),
      gender: mostly<Patient['gender']>(6, ['female', 'male'], ['other', 'unknown', undefined]),
      birthDate: mostly(6, ['1970-06-15', '1960-02-29', '1961-03-01'], ['1970', '1961-03', '2026-03-02', undefined]),
      extension: fc.tuple(...extensions).map((found) => found.flat()),
      address: addresses.length === 0 ? fc.constant(undefined) : fc.array(addressOf(addresses), { maxLength: 2 }),
      meta: lastUpdated,
    })
    .map((parts) => asSent<Patient>(parts));
}

function omb(name: string, tokens: readonly string[]): fc.Arbitrary<Extension[]>[] {
  if (tokens.length === 0) return [];
  const [first = ''] = tokens;
  const unlisted = `${codingOf(first).system}|1`;
  const said = mostly<readonly string[]>(3, [...tokens.map((token) => [token])], [[], tokens, [unlisted]]);
  return [
    said.map((each) =>
      each.length === 0
        ? []
        : [
            {
              url: `${usCore}${name}`,
              extension: each.map((token) => ({ url: 'ombCategory', valueCoding: codingOf(token) })),
            },
          ],
    ),
  ];
}

/** By the extensions that say more of the sex than `gender`. */
function sexes(vocabulary: readonly string[]): fc.Arbitrary<Extension[]>[] {
  const plain = vocabulary.filter((code) => /^[A-Z]+$/.test(code));
  const tokens = vocabulary.filter((code) => code.includes('|'));
  const birth = fc.constantFrom(...plain, 'UNK').map((valueCode) => [{ url: `${usCore}birthsex`, valueCode }]);
  const unlisted = 'http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use|specified';
  const parameter = fc.tuple(fc.constantFrom(...tokens, unlisted), seldom(3, periods)).map(([token, valuePeriod]) => [
    {
      url: clinicalUse,
      extension: [
        { url: 'value', valueCodeableConcept: { coding: [codingOf(token)] } },
        ...(valuePeriod === undefined ? [] : [{ url: 'period', valuePeriod }]),
      ],
    },
  ]);
  const none = fc.constant<Extension[]>([]);
  return [
    ...(plain.length === 0 ? [] : [among<Extension[]>([2, none], [1, birth])]),
    ...(tokens.length === 0 ? [] : [among<Extension[]>([2, none], [1, parameter])]),
  ];
}

function addressOf(addresses: PatientTerms['addresses']): fc.Arbitrary<Address> {
  const parts = addresses.map(({ definition, lookup }) => {
    const keys = lookup === undefined ? Object.values(definition.vocabulary ?? {}).flat() : [...lookup.keys()];
    const texts = keys.flatMap((key) => [key, ` ${key.toLowerCase()}`]);
    return under(definition.part, mostly(6, texts, ['nowhere', '99999', '', undefined]));
  });
  return fc
    .tuple(...parts, fc.record({ use: mostly(3, ['home', undefined], ['old', 'work']), period: seldom(3, periods) }))
    .map((found) => asSent<Address>(Object.assign({}, ...found)));
}
