import type { DocumentReference, Observation, Provenance, RiskAssessment } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { createResourceValidator, type ResourceValidator } from '../../../src/fhir/validate-resource.ts';
import { aiAsserted, testHealthData } from '../../../src/results/canonical-urls.ts';
import type { StoredResult } from '../../../src/write-back/sinks/delivery.ts';
import {
  deviceByIdentifier,
  renderDevice,
  renderProvenance,
  renderResult,
  type SinkForm,
} from '../../../src/write-back/sinks/render-result.ts';
import { metaWithSupersededTag } from '../../../src/write-back/superseded-tag.ts';
import { asRiskAssessment } from '../../support/as-risk-assessment.ts';
import { outcomeBase, resourcesOf, scoredRecord } from '../../support/outcome-record.ts';

const validator: ResourceValidator = createResourceValidator();
const sinkBase = 'https://ehr.example.org/fhir';
const device = { reference: 'Device/d1' };
const restricted = {
  system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  code: 'R',
  display: 'restricted',
};

function stored(superseded = false): StoredResult {
  const record = scoredRecord('a', { subjectId: '1', encounterId: 'e1' });
  const { result: resource, device: made, provenance } = resourcesOf(record);
  const labelled = { ...resource, meta: { security: [aiAsserted, testHealthData, restricted], versionId: '1' } };
  return {
    identifier: record.identifier,
    resource: { ...labelled, meta: metaWithSupersededTag(labelled.meta ?? {}, superseded), id: 'own-id' },
    superseded,
    tampered: false,
    device: made,
    provenance: { ...provenance('RiskAssessment/own-id/_history/1'), id: 'own-provenance' },
  };
}

function form(changes: Partial<SinkForm> = {}, rules: Partial<SinkForm['rules']> = {}): SinkForm {
  return {
    as: 'risk-assessment',
    rules: { ownBase: outcomeBase, sinkBase, subjectReferences: 'absolute', foreignReferences: 'absolute', ...rules },
    ...changes,
  };
}

test.each(['risk-assessment', 'observation', 'document-reference'] as const)(
  'what a sink gets as %s is base R4, carries the labels and no id or version of this server',
  (as) => {
    for (const superseded of [false, true]) {
      for (const { resource } of renderResult(form({ as }), stored(superseded), device)) {
        validator.validate(resource);
        expect(resource.id).toBeUndefined();
        expect(resource.meta?.versionId).toBeUndefined();
        expect(resource.meta?.security).toEqual([aiAsserted, testHealthData, restricted]);
      }
    }
    const provenance = renderProvenance(form({ as }), stored(), ['Observation/o1'], device) as Provenance;
    validator.validate(provenance);
    expect(provenance.agent[0]?.who).toEqual(device);
    expect(provenance.target).toEqual([{ reference: 'Observation/o1' }]);
    expect(provenance.entity?.every(({ what }) => what?.reference?.startsWith(outcomeBase) ?? true)).toBe(true);
    validator.validate(renderDevice(stored().device ?? { resourceType: 'Device' }));
  },
);

test('the Observation twin has the percentage of the RiskAssessment, to the last digit, as of the same instant', () => {
  const result = stored();
  const rendered = renderResult(form({ as: 'observation' }), result, device);
  const predictions = asRiskAssessment(result.resource).prediction ?? [];
  expect(rendered).toHaveLength(predictions.length);
  const observation = rendered[0]?.resource as Observation;
  expect(observation.valueQuantity).toEqual({
    value: predictions[0]?.probabilityDecimal,
    unit: '%',
    system: 'http://unitsofmeasure.org',
    code: '%',
  });
  expect(new Date(observation.effectiveDateTime ?? '').toISOString()).toBe('2026-03-01T09:00:00.000Z');
  expect(observation.status).toBe('preliminary');
  expect(observation.subject?.reference).toBe(`${outcomeBase}/Patient/1`);
  expect(observation.interpretation?.[0]?.text).toBe('intermediate risk');
  expect(observation.derivedFrom?.length).toBeGreaterThan(0);
  expect(observation.derivedFrom?.every(({ reference }) => reference?.includes('/Observation/'))).toBe(true);
  expect(observation.device).toMatchObject(device);
});

test('the Observation twin claims no disorder: its code is the predicted outcome, and the site may add its own', () => {
  const own = { system: 'urn:oid:1.2.3', code: 'RISK', display: 'Risk row' };
  const [{ resource } = { resource: undefined }] = renderResult(
    form({ as: 'observation', codes: { 'ascvd-10y': own } }),
    stored(),
    device,
  );
  const { code } = resource as Observation;
  expect(code.coding?.map(({ system }) => system)).toEqual([
    'urn:oid:1.2.3',
    'https://fhirsight.org/fhir/CodeSystem/predicted-outcome',
  ]);
  expect(code.text).toMatch(/^Predicted risk: /);
});

test('the document holds the RiskAssessment itself and its narrative as plain text, and says when it gave way', () => {
  const [{ resource } = { resource: undefined }] = renderResult(
    form({ as: 'document-reference' }),
    stored(true),
    device,
  );
  const document = resource as DocumentReference;
  const [fhir, text] = document.content.map(({ attachment }) =>
    Buffer.from(attachment.data ?? '', 'base64').toString(),
  );
  const inside = JSON.parse(fhir ?? '') as RiskAssessment;
  validator.validate(inside);
  expect(inside.subject?.reference).toBe(`${outcomeBase}/Patient/1`);
  expect(text).toContain('14.7');
  expect(text).toContain('Prior <cardiovascular> disease & "stroke"');
  expect(text).not.toMatch(/<\/|<(?:p|li|td|tr|div)\b/);
  expect(document.status).toBe('superseded');
});

test('patients and encounters stay relative only where the sink is said to hold the same ones; sources never do', () => {
  const [{ resource } = { resource: undefined }] = renderResult(
    form({}, { subjectReferences: 'relative' }),
    stored(),
    device,
  );
  const result = resource as RiskAssessment;
  expect(result.subject?.reference).toBe('Patient/1');
  expect(result.encounter?.reference).toBe('Encounter/e1');
  const sources = (result.basis ?? [])
    .flatMap(({ reference }) => reference ?? [])
    .filter((text) => text.includes('Observation'));
  expect(sources.every((text) => text.startsWith(`${outcomeBase}/Observation/`))).toBe(true);
});

test('what lives at the sink is named relatively there, and there only', () => {
  const result = stored();
  const fromEhr = {
    ...result,
    resource: { ...result.resource, subject: { reference: `${sinkBase}/Patient/1` } },
  };
  const subjectAt = (base: string) =>
    renderResult(form({}, { sinkBase: base }), fromEhr, device).map(
      ({ resource }) => (resource as RiskAssessment).subject?.reference,
    );
  expect(subjectAt(sinkBase)).toEqual(['Patient/1']);
  expect(subjectAt('https://other.example.org/fhir')).toEqual([`${sinkBase}/Patient/1`]);
});

test('a server that refuses foreign references gets their URLs as identifiers', () => {
  const [{ resource } = { resource: undefined }] = renderResult(
    form({}, { foreignReferences: 'identifier', subjectReferences: 'relative' }),
    stored(),
    deviceByIdentifier(stored()),
  );
  const result = resource as RiskAssessment;
  validator.validate(result);
  expect(JSON.stringify(result)).not.toContain('"reference":"http');
  const named = (result.basis ?? []).flatMap(({ identifier }) => identifier?.value ?? []);
  expect(named).toContain(`${outcomeBase}/Observation/bp/_history/1`);
  expect(result.performer?.reference).toBeUndefined();
  expect(result.performer?.identifier?.value).toContain('test-model|1.2.3|');
});
