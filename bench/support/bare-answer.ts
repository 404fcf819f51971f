import { randomUUID } from 'node:crypto';
import type { Encounter, Extension, Resource, RiskAssessment } from '@medplum/fhirtypes';
import type { FeatureMap } from '../../src/model-catalog/feature-map-schema.ts';
import type { Manifest } from '../../src/model-catalog/manifest-schema.ts';

/** One feature as the bare server knows it. */
export interface BareFeature {
  readonly name: string;
  readonly value: number | string | boolean;
  readonly state: 'observed' | 'derived' | 'assumed-absent';
  readonly at?: string | undefined;
  readonly sources: readonly Resource[];
  readonly from?: readonly string[];
}

const ours = 'https://fhirsight.org/fhir/StructureDefinition';
const ucum = 'http://unitsofmeasure.org';
const shownUnits: Readonly<Record<string, string>> = {
  a: 'years',
  'mm[Hg]': 'mmHg',
  'kg/m2': 'kg/m²',
  'mL/min/{1.73_m2}': 'mL/min/1.73 m²',
};

export interface BareAnswerRequest {
  readonly patient: string;
  readonly asOf: Date;
  readonly computedAt: Date;
  readonly features: readonly BareFeature[];
  readonly resources: readonly Resource[];
  readonly probabilities: readonly number[];
}

/** The RiskAssessment that says what fhirsight's says, put together without a check. Its identifier is any. */
export function createBareAnswer(manifest: Manifest, map: FeatureMap, performer: RiskAssessment['performer']) {
  const title = `${manifest.title} (${manifest.id} ${manifest.version})`;
  const labelOf = (name: string): string => map.features[name]?.label ?? name;
  const unitOf = (name: string): string | undefined => (map.features[name] as { unit?: string } | undefined)?.unit;
  const detail = (name: string): string => `no ${labelOf(name)} in the complete record; last encounter within 2 years`;

  return ({ patient, asOf, computedAt, features, resources, probabilities }: BareAnswerRequest): RiskAssessment => {
    const when = asOf.toISOString().replace('.000Z', 'Z');
    const until = new Date(asOf.getTime() + 90 * 86_400_000).toISOString().replace('.000Z', 'Z');
    const computed = computedAt.toISOString();
    const notes = [
      'AI-generated, preliminary: not verified by a person.',
      'Test data: about no real person, not for clinical use.',
      'Made only from the resources of the call: what they do not hold was taken as not there, opt-outs too. No server was asked.',
      ...features
        .filter(({ state }) => state === 'assumed-absent')
        .map(({ name }) => `Assumed absent: ${labelOf(name)} (${detail(name)}).`),
      'No contributions of inputs: not asked for',
    ];
    const predictions = manifest.outcomes.map(({ id, label, coding, horizon = 'P1Y' }, index) => {
      const percent = (probabilities[index] ?? Number.NaN) * 100;
      const years = Number(horizon.slice(1, -1));
      const end = new Date(asOf);
      end.setUTCFullYear(end.getUTCFullYear() + years);
      return {
        extension: [
          { url: `${ours}/prediction-outcome-id`, valueCode: id },
          { url: `${ours}/prediction-percent`, valueQuantity: { value: percent, unit: '%', system: ucum, code: '%' } },
        ],
        outcome: { ...(coding === undefined ? {} : { coding }), text: label },
        probabilityDecimal: percent,
        whenPeriod: { start: when, end: end.toISOString().replace('.000Z', 'Z') },
        rationale: `${percent.toFixed(1)} % (${Math.round(percent * 10)} in 1,000) over ${years} years`,
      };
    });
    const risks = predictions.map(({ outcome, rationale }) => `<li>${outcome.text}: ${rationale}</li>`).join('');
    const remarks = notes.map((note) => `<li>${note}</li>`).join('');
    const rows = features.map((feature) => row(feature, labelOf(feature.name), unitOf(feature.name))).join('');
    return {
      resourceType: 'RiskAssessment',
      meta: {
        security: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue',
            code: 'AIAST',
            display: 'Artificial Intelligence asserted',
          },
          {
            system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
            code: 'HTEST',
            display: 'test health data',
          },
        ],
      },
      text: {
        status: 'generated',
        div: `<div xmlns="http://www.w3.org/1999/xhtml"><p>${title}, as of ${when}, computed ${computed}</p><ul>${risks}</ul><ul>${remarks}</ul><table><thead><tr><th>Input</th><th>Value</th><th>How it came about</th><th>Date</th></tr></thead><tbody>${rows}</tbody></table></div>`,
      },
      extension: [
        { url: `${ours}/prediction-as-of`, valueDateTime: when },
        { url: `${ours}/prediction-valid-until`, valueDateTime: until },
        ...features.map((feature) => input(feature, labelOf(feature.name), unitOf(feature.name), detail)),
      ],
      identifier: [{ system: 'https://fhirsight.org/fhir/NamingSystem/prediction', value: randomUUID() }],
      status: 'preliminary',
      method: { text: title },
      subject: { reference: `Patient/${patient}` },
      occurrenceDateTime: computed,
      performer,
      basis: resources.map((resource) => ({ display: held(resource) })),
      prediction: predictions,
      note: notes.map((text) => ({ text })),
    };
  };
}

function held({ resourceType, id }: Resource): string {
  return `${resourceType}/${id} sent by the caller, not stored`;
}

function input(
  { name, value, state, at, sources, from = [] }: BareFeature,
  label: string,
  unit: string | undefined,
  detail: (name: string) => string,
): Extension {
  return {
    url: `${ours}/prediction-input`,
    extension: [
      { url: 'name', valueString: name },
      { url: 'label', valueString: label },
      typeof value === 'number'
        ? { url: 'value', valueQuantity: { value, unit: shownUnits[unit ?? ''] ?? unit, system: ucum, code: unit } }
        : typeof value === 'boolean'
          ? { url: 'value', valueBoolean: value }
          : { url: 'value', valueCode: value },
      { url: 'state', valueCode: state },
      ...(at === undefined ? [] : [{ url: 'at', valueDateTime: at }]),
      ...sources.map((source) => ({ url: 'source', valueReference: { display: held(source) } })),
      ...from.map((one) => ({ url: 'from', valueString: one })),
      ...(state === 'assumed-absent' ? [{ url: 'detail', valueString: detail(name) }] : []),
    ],
  };
}

function row({ value, state, at, from }: BareFeature, label: string, unit: string | undefined): string {
  const shown =
    typeof value === 'number'
      ? `${Number(value.toPrecision(6))} ${shownUnits[unit ?? ''] ?? unit}`
      : typeof value === 'boolean'
        ? value
          ? 'yes'
          : 'no'
        : value;
  const how =
    state === 'assumed-absent' ? 'assumed absent' : state === 'derived' ? `derived from ${from?.join(', ')}` : state;
  return `<tr><td>${label}</td><td>${shown}</td><td>${how}</td><td>${at ?? ''}</td></tr>`;
}

/** The end of the last encounter: since when nothing says that what is not found is not there. */
export function lastEncounter(resources: readonly Resource[]): Encounter | undefined {
  let last: Encounter | undefined;
  for (const resource of resources) {
    if (resource.resourceType !== 'Encounter') continue;
    if (last === undefined || (resource.period?.end ?? '') > (last.period?.end ?? '')) last = resource;
  }
  return last;
}
