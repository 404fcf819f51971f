import type { Extension, Patient } from '@medplum/fhirtypes';
import { type Person, sampleId } from './draw-person.ts';
import type { RandomStream } from './random-stream.ts';
import { sampleMeta } from './resource-identity.ts';
import { formatDay, formatInstant, hourMs } from './sample-time.ts';

const usCore = 'http://hl7.org/fhir/us/core/StructureDefinition';
const raceAndEthnicity = 'urn:oid:2.16.840.1.113883.6.238';
const nullFlavor = 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor';

const givenNames = ['Alpha', 'Beta', 'Gamma', 'Delta', 'Epsilon', 'Zeta', 'Eta', 'Theta', 'Kappa', 'Sigma'] as const;

interface Group {
  readonly system: string;
  readonly code: string;
  readonly display: string;
}
const white: Group = { system: raceAndEthnicity, code: '2106-3', display: 'White' };
const black: Group = { system: raceAndEthnicity, code: '2054-5', display: 'Black or African American' };
const asian: Group = { system: raceAndEthnicity, code: '2028-9', display: 'Asian' };
const native: Group = { system: raceAndEthnicity, code: '1002-5', display: 'American Indian or Alaska Native' };
const pacific: Group = {
  system: raceAndEthnicity,
  code: '2076-8',
  display: 'Native Hawaiian or Other Pacific Islander',
};
const unknown: Group = { system: nullFlavor, code: 'UNK', display: 'Unknown' };
const hispanic: Group = { system: raceAndEthnicity, code: '2135-2', display: 'Hispanic or Latino' };
const notHispanic: Group = { system: raceAndEthnicity, code: '2186-5', display: 'Not Hispanic or Latino' };

/** The Patient: a name nobody bears, no address, no telephone. */
export function buildPatient(person: Person, random: RandomStream): Patient {
  const { situations } = person;
  const number = person.id.slice('sample-'.length);
  const races = drawRaces(person, random);
  const ethnicity = random.chance(0.18) ? hispanic : notHispanic;
  return {
    resourceType: 'Patient',
    id: person.id,
    meta: sampleMeta(),
    extension: [
      ...(races.length === 0 ? [] : [groupExtension(`${usCore}/us-core-race`, races)]),
      groupExtension(`${usCore}/us-core-ethnicity`, [ethnicity]),
      { url: `${usCore}/us-core-birthsex`, valueCode: birthSex(person) },
    ],
    identifier: [{ system: 'https://fhirsight.org/fhir/NamingSystem/sample-patient', value: `SAMPLE-${number}` }],
    // A merged patient says nothing of being active: the link alone must be enough.
    ...(situations.has('merged') ? {} : { active: !situations.has('inactive') }),
    name: [{ use: 'official', family: `Sample${number}`, given: [random.pick(givenNames)] }],
    gender: administrativeGender(person),
    birthDate: formatDay(person.birthMs, 0),
    ...(situations.has('deceased-dated')
      ? { deceasedDateTime: formatInstant(person.lastMs + 14 * hourMs, person.offsetMinutes) }
      : {}),
    ...(situations.has('deceased-undated') ? { deceasedBoolean: true } : {}),
    ...(situations.has('merged')
      ? { link: [{ other: { reference: `Patient/${sampleId(person.index - 1)}` }, type: 'replaced-by' as const }] }
      : {}),
  };
}

function administrativeGender(person: Person): NonNullable<Patient['gender']> {
  if (person.situations.has('gender-other')) return 'other';
  if (person.situations.has('gender-unknown')) return 'unknown';
  return person.female ? 'female' : 'male';
}

function birthSex(person: Person): string {
  if (person.situations.has('gender-unknown')) return 'UNK';
  return person.female ? 'F' : 'M';
}

function drawRaces(person: Person, random: RandomStream): Group[] {
  const draw = random.uniform();
  if (person.situations.has('race-absent')) return [];
  if (person.situations.has('race-unknown')) return [unknown];
  if (person.situations.has('race-multiple')) return [white, asian];
  if (person.situations.has('showcase')) return [draw < 0.6 ? white : black];
  if (draw < 0.62) return [white];
  if (draw < 0.85) return [black];
  if (draw < 0.95) return [asian];
  return [draw < 0.98 ? native : pacific];
}

function groupExtension(url: string, groups: readonly Group[]): Extension {
  return {
    url,
    extension: [
      ...groups.map((group) => ({ url: 'ombCategory', valueCoding: { ...group } })),
      { url: 'text', valueString: groups.map((group) => group.display).join(', ') },
    ],
  };
}
