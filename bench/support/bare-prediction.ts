import { readFileSync } from 'node:fs';
import path from 'node:path';
import type {
  Bundle,
  Condition,
  MedicationRequest,
  Observation,
  Patient,
  Resource,
  RiskAssessment,
} from '@medplum/fhirtypes';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';
import { type BareFeature, createBareAnswer, lastEncounter } from './bare-answer.ts';

/**
 * What a prediction costs at least: the features of prevent-base by hand, one run of the model, and the same answer. No units, windows, conflicts, eligibility, audit or storage: nothing of this is safe to use.
 */
export interface BarePrediction {
  predict(resources: readonly Resource[]): Promise<RiskAssessment>;
}

const loinc = {
  totalCholesterol: ['2093-3', '14647-2'],
  hdlCholesterol: ['2085-9', '14646-4'],
  pressurePanel: ['85354-9', '55284-4'],
  bodyMassIndex: ['39156-5'],
  creatinine: ['2160-0', '38483-4'],
  smoking: ['72166-2'],
};

/** @param performer the Device of the answers, which names the digest of the model's files */
export async function barePrediction(asOf: Date, performer: RiskAssessment['performer']): Promise<BarePrediction> {
  const folder = path.resolve(import.meta.dirname, '../../models/prevent-base/1.0.0');
  const read = (file: string): unknown => JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  const map = read('feature-map.json') as FeatureMap;
  const listed = (feature: string, key = 'codes'): Set<string> =>
    new Set((map.features[feature] as unknown as Record<string, string[]>)[key]);
  const smokers = listed('currentSmoker', 'yes');
  const diseases = { diabetes: listed('diabetes'), priorCardiovascularDisease: listed('priorCardiovascularDisease') };
  const drugs = {
    antihypertensiveMedication: listed('antihypertensiveMedication'),
    statinMedication: listed('statinMedication'),
  };
  const answer = createBareAnswer(read('manifest.json') as Manifest, map, performer);
  const session = await InferenceSession.create(path.join(folder, 'model.onnx'), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });

  return {
    async predict(resources) {
      const patient = resources.find(({ resourceType }) => resourceType === 'Patient') as Patient;
      const newest = new Map<string, Observation>();
      const found = new Map<string, Condition | MedicationRequest>();
      for (const resource of resources) {
        if (resource.resourceType === 'Observation') keepNewest(newest, resource);
        else if (resource.resourceType === 'Condition') keepFound(found, resource, resource.code?.coding, diseases);
        else if (resource.resourceType === 'MedicationRequest' && resource.status === 'active') {
          keepFound(found, resource, resource.medicationCodeableConcept?.coding, drugs);
        }
      }
      const seen = lastEncounter(resources);
      const age = yearsBetween(patient.birthDate ?? '', asOf);
      const first = (codes: readonly string[]) => codes.map((code) => newest.get(code)).find((one) => one);
      const measured = (name: string, codes: readonly string[]): BareFeature => {
        const observation = first(codes);
        return observed(name, observation?.valueQuantity?.value ?? Number.NaN, observation);
      };
      const panel = first(loinc.pressurePanel);
      const pressure = panel?.component?.find(({ code }) => code.coding?.[0]?.code === '8480-6');
      const creatinine = measured('creatinine', loinc.creatinine);
      const smoking = first(loinc.smoking);
      const listedOf = (name: string): BareFeature => {
        const one = found.get(name);
        if (one === undefined) {
          const at = seen?.period?.start === undefined ? undefined : seen.period.end;
          return { name, value: false, state: 'assumed-absent', at, sources: seen === undefined ? [] : [seen] };
        }
        const at = one.resourceType === 'Condition' ? (one.onsetDateTime ?? one.recordedDate) : one.authoredOn;
        return { name, value: true, state: 'observed', at, sources: [one] };
      };
      const features: BareFeature[] = [
        { name: 'age', value: age, state: 'observed', sources: [patient] },
        { name: 'sex', value: patient.gender ?? '', state: 'observed', sources: [patient] },
        measured('totalCholesterol', loinc.totalCholesterol),
        measured('hdlCholesterol', loinc.hdlCholesterol),
        observed('systolicBloodPressure', pressure?.valueQuantity?.value ?? Number.NaN, panel),
        measured('bodyMassIndex', loinc.bodyMassIndex),
        creatinine,
        {
          name: 'estimatedGfr',
          value: estimatedGfr(Number(creatinine.value), patient.gender === 'female', age),
          state: 'derived',
          at: creatinine.at,
          sources: [...creatinine.sources, patient],
          from: ['creatinine', 'sex', 'age'],
        },
        listedOf('diabetes'),
        observed('currentSmoker', anyCode(smoking?.valueCodeableConcept?.coding, smokers), smoking),
        listedOf('antihypertensiveMedication'),
        listedOf('statinMedication'),
        listedOf('priorCardiovascularDisease'),
      ];
      const row = Float64Array.from(inputColumns, (column) => {
        const value = features[column]?.value;
        return typeof value === 'string' ? Number(value === 'female') : Number(value);
      });
      const { risk } = await session.run({ x: new Tensor('float64', row, [1, row.length]) });
      if (risk === undefined) throw new Error('the model has no output named risk');
      const probabilities = [...(risk.data as Float64Array)];
      const computedAt = new Date();
      return answer({ patient: patient.id ?? '', asOf, computedAt, features, resources, probabilities });
    },
  };
}

/** Which of the features fill the model's columns: all but creatinine and the prior disease. */
const inputColumns = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11];

function observed(name: string, value: number | boolean, source: Observation | undefined): BareFeature {
  const at = source?.effectiveDateTime;
  return { name, value, state: 'observed', at, sources: source === undefined ? [] : [source] };
}

/** The resources of a call of `$predict` or of a hook, without a check. */
export function resourcesOf(body: unknown): Resource[] {
  const { parameter, prefetch } = body as {
    parameter?: { resource?: Bundle }[];
    prefetch?: Record<string, Resource | Bundle | null>;
  };
  const held = parameter?.flatMap(({ resource }) => resource ?? []) ?? Object.values(prefetch ?? {});
  return held.flatMap((resource) => {
    if (resource === null) return [];
    return resource.resourceType === 'Bundle'
      ? (resource.entry ?? []).flatMap((entry) => entry.resource ?? [])
      : resource;
  });
}

function keepNewest(newest: Map<string, Observation>, observation: Observation): void {
  for (const { code } of observation.code.coding ?? []) {
    const held = newest.get(code ?? '');
    if (held === undefined || (observation.effectiveDateTime ?? '') > (held.effectiveDateTime ?? '')) {
      newest.set(code ?? '', observation);
    }
  }
}

type Codings = readonly { readonly system?: string; readonly code?: string }[] | undefined;

function anyCode(coding: Codings, wanted: ReadonlySet<string>): boolean {
  return coding?.some(({ system, code }) => wanted.has(`${system}|${code}`)) ?? false;
}

function keepFound(
  found: Map<string, Condition | MedicationRequest>,
  resource: Condition | MedicationRequest,
  coding: Codings,
  wanted: Readonly<Record<string, ReadonlySet<string>>>,
): void {
  for (const name in wanted) if (anyCode(coding, wanted[name] ?? new Set())) found.set(name, resource);
}

function yearsBetween(birthDate: string, asOf: Date): number {
  const [year = 0, month = 1, day = 1] = birthDate.split('-').map(Number);
  const before = asOf.getUTCMonth() + 1 < month || (asOf.getUTCMonth() + 1 === month && asOf.getUTCDate() < day);
  return asOf.getUTCFullYear() - year - (before ? 1 : 0);
}

/** CKD-EPI 2021, Inker 2021, doi:10.1056/NEJMoa2102953. */
function estimatedGfr(creatinine: number, female: boolean, age: number): number {
  const ratio = creatinine / (female ? 0.7 : 0.9);
  const low = Math.min(ratio, 1) ** (female ? -0.241 : -0.302);
  return 142 * low * Math.max(ratio, 1) ** -1.2 * 0.9938 ** age * (female ? 1.012 : 1);
}
