import type { Condition } from '@medplum/fhirtypes';
import type { Person } from './draw-person.ts';
import type { Visit } from './draw-visits.ts';
import type { RandomStream } from './random-stream.ts';
import { type NextId, sampleMeta } from './resource-identity.ts';
import { dayMs, formatDay, formatInstant, minuteMs } from './sample-time.ts';

const catalogue = {
  hypertension: { code: '38341003', display: 'Hypertension' },
  diabetes: { code: '44054006', display: 'Diabetes mellitus type 2' },
  'myocardial-infarction': { code: '22298006', display: 'Myocardial infarction' },
  stroke: { code: '230690007', display: 'Cerebrovascular accident' },
  'heart-failure': { code: '84114007', display: 'Heart failure' },
  hyperlipidaemia: { code: '55822004', display: 'Hyperlipidemia' },
  osteoarthritis: { code: '396275006', display: 'Osteoarthritis' },
  asthma: { code: '195967001', display: 'Asthma' },
  sinusitis: { code: '444814009', display: 'Viral sinusitis' },
  pharyngitis: { code: '195662009', display: 'Acute viral pharyngitis' },
} as const;

interface ConditionContent {
  readonly name?: keyof typeof catalogue;
  /** Written by hand where nothing is coded. */
  readonly text?: string;
  readonly onsetMs: number;
  readonly abatedMs?: number;
  readonly verification?: 'confirmed' | 'refuted' | 'entered-in-error';
  readonly encounterId?: string;
}

/** The problem list: what the person has, what they had, and what was written there by mistake. */
export function buildConditions(
  person: Person,
  visits: readonly Visit[],
  random: RandomStream,
  nextId: NextId,
): Condition[] {
  const { situations } = person;
  const yearsAgo = (low: number, high: number) =>
    person.lastMs - Math.round(random.between(low, Math.min(high, person.ageYears - 15)) * 365) * dayMs;
  const contents: ConditionContent[] = [];
  if (person.hypertension) contents.push({ name: 'hypertension', onsetMs: yearsAgo(1, 12) });
  if (person.diabetes) contents.push({ name: 'diabetes', onsetMs: yearsAgo(1, 9) });
  if (person.cardiovascularDisease !== 'none') {
    contents.push({ name: person.cardiovascularDisease, onsetMs: yearsAgo(0.5, 8) });
  }
  if (person.statin) contents.push({ name: 'hyperlipidaemia', onsetMs: yearsAgo(1, 8) });
  if (random.chance(person.ageYears > 55 ? 0.3 : 0.05))
    contents.push({ name: 'osteoarthritis', onsetMs: yearsAgo(1, 10) });
  if (random.chance(0.1)) contents.push({ name: 'asthma', onsetMs: yearsAgo(2, 20) });
  for (const visit of visits) {
    if (visit.endMs === undefined || !random.chance(0.12)) continue;
    const abatedMs = Math.min(visit.startMs + random.integer(5, 15) * dayMs, person.lastMs);
    const name = random.pick(['sinusitis', 'pharyngitis'] as const);
    contents.push({ name, onsetMs: visit.startMs, abatedMs, encounterId: visit.encounterId });
  }
  if (situations.has('condition-refuted')) {
    contents.push({ name: 'myocardial-infarction', onsetMs: yearsAgo(1, 3), verification: 'refuted' });
  }
  if (situations.has('condition-entered-in-error')) {
    contents.push({ name: 'stroke', onsetMs: yearsAgo(1, 3), verification: 'entered-in-error' });
  }
  if (situations.has('condition-text-only')) {
    contents.push({ text: 'Heart attack years ago, as told by the patient', onsetMs: yearsAgo(2, 6) });
  }
  return contents.map((content) => buildCondition(person, nextId, content));
}

function buildCondition(person: Person, nextId: NextId, content: ConditionContent): Condition {
  const { offsetMinutes } = person;
  const verification = content.verification ?? 'confirmed';
  const recordedMs = content.encounterId === undefined ? content.onsetMs + dayMs / 2 : content.onsetMs + 20 * minuteMs;
  return {
    resourceType: 'Condition',
    id: nextId('cond'),
    meta: sampleMeta(),
    // con-5: no clinical status where the entry itself was an error.
    ...(verification === 'entered-in-error' ? {} : { clinicalStatus: clinicalStatus(content, verification) }),
    verificationStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: verification }],
    },
    category: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/condition-category',
            code: content.encounterId === undefined ? 'problem-list-item' : 'encounter-diagnosis',
          },
        ],
      },
    ],
    code:
      content.name === undefined
        ? { text: content.text }
        : {
            coding: [{ system: 'http://snomed.info/sct', ...catalogue[content.name] }],
            text: catalogue[content.name].display,
          },
    subject: { reference: `Patient/${person.id}` },
    ...(content.encounterId === undefined ? {} : { encounter: { reference: `Encounter/${content.encounterId}` } }),
    onsetDateTime: formatDay(content.onsetMs, offsetMinutes),
    ...(content.abatedMs === undefined ? {} : { abatementDateTime: formatDay(content.abatedMs, offsetMinutes) }),
    recordedDate: formatInstant(recordedMs, offsetMinutes),
  };
}

function clinicalStatus(content: ConditionContent, verification: string): Condition['clinicalStatus'] {
  const code = content.abatedMs !== undefined ? 'resolved' : verification === 'refuted' ? 'inactive' : 'active';
  return { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code }] };
}
