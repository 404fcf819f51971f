import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Bundle, Observation, Patient, Resource, RiskAssessment } from '@medplum/fhirtypes';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/**
 * What a prediction costs at least: the features of prevent-base by hand, one run of the model, and the answer by
 * JSON.stringify. No units, windows, conflicts, eligibility, audit or storage: nothing of this is safe to use.
 */
export interface BarePrediction {
  /** @returns the text of a RiskAssessment like the template, with the probabilities of these resources */
  predict(
    resources: readonly Resource[],
  ): Promise<{ readonly text: string; readonly probabilities: readonly number[] }>;
}

const loinc = {
  totalCholesterol: ['2093-3', '14647-2'],
  hdlCholesterol: ['2085-9', '14646-4'],
  pressurePanel: ['85354-9', '55284-4'],
  bodyMassIndex: ['39156-5'],
  creatinine: ['2160-0', '38483-4'],
  smoking: ['72166-2'],
};

/** @param templates the answer that fhirsight gave, by patient id: the bare one is equal to it but for its numbers */
export async function barePrediction(
  asOf: Date,
  templates: ReadonlyMap<string, RiskAssessment>,
): Promise<BarePrediction> {
  const folder = path.resolve(import.meta.dirname, '../../models/prevent-base/1.0.0');
  const map = JSON.parse(readFileSync(path.join(folder, 'feature-map.json'), 'utf8')) as {
    features: Record<string, { codes: string[]; yes?: string[] }>;
  };
  const codesOf = (feature: string): Set<string> => new Set(map.features[feature]?.codes);
  const smokers = new Set(map.features.currentSmoker?.yes);
  const diabetes = codesOf('diabetes');
  const antihypertensives = codesOf('antihypertensiveMedication');
  const statins = codesOf('statinMedication');
  const session = await InferenceSession.create(path.join(folder, 'model.onnx'), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });

  return {
    async predict(resources) {
      const patient = resources.find(({ resourceType }) => resourceType === 'Patient') as Patient;
      const newest = new Map<string, Observation>();
      let hasDiabetes = 0;
      let treated = 0;
      let statin = 0;
      for (const resource of resources) {
        if (resource.resourceType === 'Observation') keepNewest(newest, resource);
        else if (resource.resourceType === 'Condition') hasDiabetes ||= anyCode(resource.code?.coding, diabetes);
        else if (resource.resourceType === 'MedicationRequest' && resource.status === 'active') {
          treated ||= anyCode(resource.medicationCodeableConcept?.coding, antihypertensives);
          statin ||= anyCode(resource.medicationCodeableConcept?.coding, statins);
        }
      }
      const first = (codes: readonly string[]) => codes.map((code) => newest.get(code)).find((found) => found);
      const number = (codes: readonly string[]): number => first(codes)?.valueQuantity?.value ?? Number.NaN;
      const pressure = first(loinc.pressurePanel)?.component?.find(({ code }) => code.coding?.[0]?.code === '8480-6');
      const age = yearsBetween(patient.birthDate ?? '', asOf);
      const female = patient.gender === 'female';
      const row = Float64Array.of(
        age,
        female ? 1 : 0,
        number(loinc.totalCholesterol),
        number(loinc.hdlCholesterol),
        pressure?.valueQuantity?.value ?? Number.NaN,
        number(loinc.bodyMassIndex),
        estimatedGfr(number(loinc.creatinine), female, age),
        hasDiabetes,
        anyCode(first(loinc.smoking)?.valueCodeableConcept?.coding, smokers),
        treated,
        statin,
      );
      const { risk } = await session.run({ x: new Tensor('float64', row, [1, row.length]) });
      if (risk === undefined) throw new Error('the model has no output named risk');
      const probabilities = [...(risk.data as Float64Array)];
      const template = templates.get(patient.id ?? '');
      if (template === undefined) throw new Error('there is no template for this patient');
      const answer: RiskAssessment = {
        ...template,
        prediction: (template.prediction ?? []).map((prediction, index) => ({
          ...prediction,
          probabilityDecimal: (probabilities[index] ?? Number.NaN) * 100,
        })),
      };
      return { text: JSON.stringify(answer), probabilities };
    },
  };
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

function anyCode(
  coding: readonly { readonly system?: string; readonly code?: string }[] | undefined,
  wanted: ReadonlySet<string>,
): number {
  return coding?.some(({ system, code }) => wanted.has(`${system}|${code}`)) ? 1 : 0;
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
