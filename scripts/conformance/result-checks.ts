import assert from 'node:assert/strict';
import type { Bundle, Device, Provenance, RiskAssessment } from '@medplum/fhirtypes';
import { type Check, NotRun } from './check.ts';
import { predicted, storedParametersOf } from './predict-call.ts';
import type { Site } from './site.ts';

const label = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'AIAST' };

/** The resources that a prediction becomes (RA-1 to RA-8, DEV-1, DEV-2, PRV-1, PRV-2, AUD-1, AIT-1 to AIT-7, OP-66). */
export const resultChecks: readonly Check[] = [
  {
    ids: ['RA-1', 'RA-2', 'RA-2a', 'RA-3', 'RA-5', 'RA-6'],
    says: 'A RiskAssessment states percentages with their time, in words too, and no fraction',
    async run(site) {
      const { json, status, text } = await predicted(site);
      assert.equal(status, 200, text);
      const { prediction = [], resourceType, status: state, note = [] } = json as RiskAssessment;
      assert.deepEqual([resourceType, state], ['RiskAssessment', 'preliminary']);
      assert.ok(prediction.length > 0);
      for (const {
        outcome,
        probabilityDecimal = Number.NaN,
        whenPeriod,
        whenRange,
        extension = [],
        rationale = '',
      } of prediction) {
        const name = outcome?.text ?? outcome?.coding?.[0]?.display ?? assert.fail('a prediction without an outcome');
        assert.ok(probabilityDecimal >= 0 && probabilityDecimal <= 100, `${name}: ${probabilityDecimal}`);
        assert.ok(whenPeriod ?? whenRange, `${name} does not say when`);
        const percent = extension.find(({ valueQuantity }) => valueQuantity?.code === '%')?.valueQuantity;
        assert.equal(percent?.value, probabilityDecimal, `${name} is not told as a Quantity in %`);
        for (const [number] of rationale.matchAll(/\b0\.\d+(?!\d*\s*%)/g))
          assert.notEqual(Number(number), probabilityDecimal / 100, `${name}: a bare fraction in ${rationale}`);
      }
      return `${prediction.length} predictions, ${note.length} notes; first: ${prediction[0]?.probabilityDecimal} %`;
    },
  },
  {
    ids: ['AIT-1'],
    says: 'Results carry the AI label',
    async run(site) {
      const { meta } = (await predicted(site)).json as RiskAssessment;
      assert.ok(meta?.security?.some(({ system, code }) => system === label.system && code === label.code));
      return 'meta.security has AIAST';
    },
  },
  {
    ids: ['RA-4', 'DEV-1', 'DEV-2', 'PRV-1', 'PRV-2', 'AIT-3', 'AIT-4', 'AIT-5', 'AIT-7', 'OP-66'],
    says: 'A stored result has its Device and its Provenance, and a repeat gives the same',
    async run(site) {
      const risk = await stored(site);
      const again = await stored(site);
      assert.equal(again.id, risk.id, 'a repeat stored another result');
      const deviceReference = risk.performer?.reference ?? '';
      assert.match(deviceReference, /Device\//);
      for (const { reference = '' } of risk.basis ?? []) assert.match(reference, /\/_history\//);
      const device = (await site.call(/Device\/[^/]+/.exec(deviceReference)?.[0] ?? '')).json as Device;
      assert.ok(
        device.deviceName?.every(({ name, type }) => name && type) && device.version?.every(({ value }) => value),
      );
      assert.equal(device.type?.coding?.[0]?.code, 'Artificial-Intelligence');
      assert.ok(
        device.contained?.some(({ resourceType }) => resourceType === 'DocumentReference'),
        'no model card',
      );
      const found = (await site.call(`Provenance?target=RiskAssessment/${risk.id}`)).json as Bundle<Provenance>;
      const provenance = found.entry?.[0]?.resource ?? assert.fail('no Provenance for the result');
      assert.ok(provenance.recorded && provenance.agent.every(({ who }) => who));
      assert.ok(provenance.reason?.some(({ coding = [] }) => coding.some(({ code }) => code === 'AIAST')));
      const roles = (provenance.entity ?? []).map(({ role }) => role);
      assert.ok(roles.includes('source'), 'the inputs are no entities');
      return `RiskAssessment/${risk.id}, ${risk.basis?.length} sources, one Device, one Provenance; again: the same id`;
    },
  },
  {
    ids: ['RA-7'],
    says: 'A prediction of a later instant is another result',
    async run(site) {
      const early = await stored(site, '2026-02-01T08:00:00Z');
      const late = await stored(site, '2026-02-02T08:00:00Z');
      assert.notEqual(early.id, late.id);
      assert.notEqual(early.occurrenceDateTime, late.occurrenceDateTime);
      return 'two instants: two results';
    },
  },
  {
    ids: ['RA-8'],
    says: 'Results are found by what the CapabilityStatement lists',
    async run(site) {
      const { id } = await stored(site);
      const found = (await site.call(`RiskAssessment?patient=${site.patient}`)).json as Bundle;
      assert.ok(found.entry?.some(({ resource }) => resource?.id === id));
      return `patient=${site.patient}: ${found.entry?.length} found`;
    },
  },
  {
    ids: ['AUD-1'],
    says: 'Every call is an AuditEvent',
    async run(site) {
      await stored(site);
      const answer = await site.call(
        `AuditEvent?patient=${site.patient}&_sort=-date&_count=5`,
        {},
        'system/AuditEvent.rs',
      );
      assert.equal(answer.status, 200, answer.text);
      const events = ((answer.json as Bundle).entry ?? []).map(({ resource }) => resource);
      const scored = events.find((event) => event?.resourceType === 'AuditEvent' && event.action === 'E');
      if (scored?.resourceType !== 'AuditEvent') return assert.fail('no AuditEvent of a prediction');
      assert.ok(scored.agent.every(({ requestor }) => typeof requestor === 'boolean') && scored.source.observer);
      return `${events.length} events; the newest prediction: ${scored.outcomeDesc}`;
    },
  },
];

async function stored(site: Site, asOf?: string): Promise<RiskAssessment> {
  if (!site.mayWrite) throw new NotRun('nothing is stored at this server (--allow-writes)');
  const body = storedParametersOf(site, [
    { name: 'writeBack', valueBoolean: true },
    { name: 'asOf', valueDateTime: asOf ?? '2026-03-01T08:00:00Z' },
  ]);
  const { status, json, text } = await site.call(`Patient/${site.patient}/$predict`, { method: 'POST', body });
  assert.equal(status, 200, text);
  return json as RiskAssessment;
}
