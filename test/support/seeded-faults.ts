import type { DiagnosticReport, Observation, Resource } from '@medplum/fhirtypes';

/** The resources of one result that a server wrote, and its entry in the log. */
export interface WrittenResources {
  readonly risk: Resource;
  readonly observation: Resource;
  readonly device: Resource;
  readonly provenance: Resource;
  readonly audit: Resource;
  /** What a report on the observation could be: this server writes none yet. */
  readonly report: Resource;
}

/** One way in which a resource would be wrong. */
export interface SeededFault {
  /** With the requirement that it breaks. */
  readonly title: string;
  readonly of: keyof WrittenResources;
  /** Changes a copy. */
  // biome-ignore lint/suspicious/noExplicitAny: what the types forbid is what is seeded
  readonly seed: (resource: any) => void;
  /** What one finding has to say, with its path in front. */
  readonly found: RegExp;
}

/** A report that holds nothing but what R4 and the requirements allow. */
export function reportOn(observation: Observation): DiagnosticReport {
  return {
    resourceType: 'DiagnosticReport',
    meta: observation.meta ?? {},
    status: 'preliminary',
    code: observation.code,
    subject: observation.subject as DiagnosticReport['subject'] & object,
    result: [{ reference: `Observation/${observation.id}` }],
  };
}

export const seededFaults: readonly SeededFault[] = [
  {
    title: 'DR-2: a Device as performer of a DiagnosticReport',
    of: 'report',
    seed: (report) => (report.performer = [{ reference: 'Device/model-1' }]),
    found: /performer\[0\].* points to a Device; allowed is Practitioner/,
  },
  {
    title: 'DR-2: a Device as interpreter of a DiagnosticReport, told by its type alone',
    of: 'report',
    seed: (report) => (report.resultsInterpreter = [{ type: 'Device', identifier: { value: 'model-1' } }]),
    found: /resultsInterpreter\[0\].* points to a Device/,
  },
  {
    title: 'DR-3: a RiskAssessment among the results of a DiagnosticReport',
    of: 'report',
    seed: (report) => report.result.push({ reference: 'RiskAssessment/r1/_history/1' }),
    found: /result\[1\].* points to a RiskAssessment; allowed is Observation/,
  },
  {
    title: 'DR-1: a DiagnosticReport without a code',
    of: 'report',
    seed: (report) => delete report.code,
    found: /code.* at least 1 is needed/,
  },
  {
    title: 'RA-6: a code that the required binding of the status does not have',
    of: 'risk',
    seed: (risk) => (risk.status = 'draft'),
    found: /status.* draft is no code of .*observation-status/,
  },
  {
    title: 'RA-6: a result that calls itself final although nobody verified it',
    of: 'risk',
    seed: (risk) => (risk.status = 'final'),
    found: /status.* is not what its definition wants: "preliminary"/,
  },
  {
    title: 'RA-4: an empty array',
    of: 'risk',
    seed: (risk) => (risk.basis = []),
    found: /basis.* is an empty array/,
  },
  {
    title: 'RA-4: an empty object',
    of: 'risk',
    seed: (risk) => (risk.method = {}),
    found: /method.* is an empty object/,
  },
  {
    title: 'RA-4: an empty string',
    of: 'risk',
    seed: (risk) => (risk.method.text = ''),
    found: /method\.text.* is an empty string/,
  },
  {
    title: 'RA-4: null in the place of an element',
    of: 'risk',
    seed: (risk) => (risk.encounter = null),
    found: /encounter.* null/,
  },
  {
    title: 'RA-1: ras-2, a probability above 100 %',
    of: 'risk',
    seed: (risk) => {
      risk.prediction[0].probabilityDecimal = 147;
      percentOf(risk.prediction[0]).valueQuantity.value = 147;
    },
    found: /ras-2/,
  },
  {
    title: 'RA-1: ras-1, a range whose ends are no percentages',
    of: 'risk',
    seed: (risk) => {
      const [prediction] = risk.prediction;
      delete prediction.probabilityDecimal;
      prediction.probabilityRange = {
        low: { value: 0 },
        high: { value: 0.2, system: 'http://unitsofmeasure.org', code: '1' },
      };
    },
    found: /ras-1/,
  },
  {
    title: 'RA-2: a fraction where its own extension says a percentage',
    of: 'risk',
    seed: (risk) => (risk.prediction[0].probabilityDecimal /= 100),
    found: /fhs-1/,
  },
  {
    title: 'RA-2a: a prediction without its percentage as a Quantity',
    of: 'risk',
    seed: (risk) => (risk.prediction[0].extension = risk.prediction[0].extension.filter((one: Ext) => !isPercent(one))),
    found: /extension:percent.* at least 1 is needed/,
  },
  {
    title: 'RA-2a: a percentage in another unit than %',
    of: 'risk',
    seed: (risk) => (percentOf(risk.prediction[0]).valueQuantity.code = '1'),
    found: /valueQuantity\.code.* is not what its definition wants: "%"/,
  },
  {
    title: 'RA-3: a risk without the time that it is about',
    of: 'risk',
    seed: (risk) => delete risk.prediction[0].whenPeriod,
    found: /when\[x\].* at least 1 is needed/,
  },
  {
    title: 'RA-3: a risk about a range of ages instead of a period',
    of: 'risk',
    seed: (risk) => {
      delete risk.prediction[0].whenPeriod;
      risk.prediction[0].whenRange = { low: { value: 60 }, high: { value: 70 } };
    },
    found: /whenRange, which its definition does not know/,
  },
  {
    title: 'RA-4: a person as the performer of what a model made',
    of: 'risk',
    seed: (risk) => (risk.performer = { reference: 'Practitioner/p1' }),
    found: /performer.* points to a Practitioner; allowed is Device/,
  },
  {
    title: 'RA-4: a result that names no method',
    of: 'risk',
    seed: (risk) => delete risk.method,
    found: /method.* at least 1 is needed/,
  },
  {
    title: 'RA-9: a subject that is neither Patient nor Group',
    of: 'risk',
    seed: (risk) => (risk.subject = { reference: 'Practitioner/p1' }),
    found: /subject.* points to a Practitioner; allowed is Patient, Group/,
  },
  {
    title: 'RA-5: a prediction that does not say which outcome it is about',
    of: 'risk',
    seed: (risk) => delete risk.prediction[0].outcome,
    found: /outcome.* at least 1 is needed/,
  },
  {
    title: 'AIT-1: no AIAST among the labels of a RiskAssessment',
    of: 'risk',
    seed: (risk) => (risk.meta.security = [{ system: v3Confidentiality, code: 'R' }]),
    found: /security:aiAsserted.* at least 1 is needed/,
  },
  {
    title: 'AIT-1: AIAST in meta.tag instead of meta.security',
    of: 'observation',
    seed: (observation) => {
      observation.meta.tag = observation.meta.security;
      delete observation.meta.security;
    },
    found: /meta\.security.* at least 1 is needed/,
  },
  {
    title: 'OB-2: a Device as performer of an Observation',
    of: 'observation',
    seed: (observation) => (observation.performer = [{ reference: 'Device/model-1' }]),
    found: /performer\[0\].* points to a Device/,
  },
  {
    title: 'OB-3: obs-6, a reason for absence beside a value',
    of: 'observation',
    seed: (observation) => (observation.dataAbsentReason = { text: 'unknown' }),
    found: /obs-6/,
  },
  {
    title: 'OB-3: obs-7, a component with the code of the observation',
    of: 'observation',
    seed: (observation) => (observation.component = [{ code: observation.code, valueQuantity: { value: 1 } }]),
    found: /obs-7/,
  },
  {
    title: 'OB-3: obs-3, a reference range that says nothing',
    of: 'observation',
    seed: (observation) => (observation.referenceRange = [{ type: { text: 'normal' } }]),
    found: /obs-3/,
  },
  {
    title: 'OB-1: an Observation without a code',
    of: 'observation',
    seed: (observation) => delete observation.code,
    found: /code.* at least 1 is needed/,
  },
  {
    title: 'OB-1: derived from a Condition, which R4 does not allow',
    of: 'observation',
    seed: (observation) => (observation.derivedFrom = [{ reference: 'Condition/c1' }]),
    found: /derivedFrom\[0\].* points to a Condition/,
  },
  {
    title: 'DEV-1: a name of a Device without its type',
    of: 'device',
    seed: (device) => delete device.deviceName[0].type,
    found: /deviceName\[0\]\.type.* at least 1 is needed/,
  },
  {
    title: 'DEV-1: displayName, which R4 does not have',
    of: 'device',
    seed: (device) => (device.displayName = 'Model'),
    found: /displayName, which its definition does not know/,
  },
  {
    title: 'DEV-2: a Device that lost what identifies its version',
    of: 'device',
    seed: (device) => device.identifier.shift(),
    found: /identifier:engine.* at least 1 is needed/,
  },
  {
    title: 'DEV-3: the version of a DeviceDefinition, a string, on a Device',
    of: 'device',
    seed: (device) => (device.version = ['1.0.0']),
    found: /version\[0\].* is no BackboneElement: string/,
  },
  {
    title: 'AIT-3: a Device of another type than Artificial-Intelligence',
    of: 'device',
    seed: (device) => (device.type.coding[0].code = 'Scale'),
    found: /Device\.type.* is not what its definition wants/,
  },
  {
    title: 'AIT-5: a card in another format than it says',
    of: 'device',
    seed: (device) => (device.contained[0].content[0].attachment.contentType = 'text/plain'),
    found: /contentType.* is not what its definition wants: "text\/markdown"/,
  },
  {
    title: 'PRV-1: a Provenance without an agent',
    of: 'provenance',
    seed: (provenance) => delete provenance.agent,
    found: /agent.* at least 1 is needed/,
  },
  {
    title: 'PRV-1: a role of an entity that the required binding does not have',
    of: 'provenance',
    seed: (provenance) => (provenance.entity[0].role = 'input'),
    found: /role.* input is no code of .*provenance-entity-role/,
  },
  {
    title: 'PRV-1: recorded on a day without a time',
    of: 'provenance',
    seed: (provenance) => (provenance.recorded = '2026-03-01'),
    found: /recorded.* is no instant/,
  },
  {
    title: 'PRV-2: an input that is no source',
    of: 'provenance',
    seed: (provenance) => (provenance.entity[0].role = 'quotation'),
    found: /An input is a source/,
  },
  {
    title: 'AIT-4: an agent that is said to be a person',
    of: 'provenance',
    seed: (provenance) => (provenance.agent[0].who = { reference: 'Practitioner/p1' }),
    found: /who.* points to a Practitioner; allowed is Device/,
  },
  {
    title: 'AIT-4: a Provenance that does not say that an AI asserted it',
    of: 'provenance',
    seed: (provenance) => (provenance.reason[0].coding[0].code = 'PATAST'),
    found: /reason:aiAsserted.* at least 1 is needed/,
  },
  {
    title: 'AUD-1: sev-1, an entity with both a name and a query',
    of: 'audit',
    seed: (audit) => (audit.entity.find((one: { name?: string }) => one.name !== undefined).query = 'YQ=='),
    found: /sev-1/,
  },
  {
    title: 'AUD-1: an agent that does not say whether it asked',
    of: 'audit',
    seed: (audit) => delete audit.agent[0].requestor,
    found: /requestor.* at least 1 is needed/,
  },
  {
    title: 'AUD-1: an action that R4 does not know',
    of: 'audit',
    seed: (audit) => (audit.action = 'X'),
    found: /action.* X is no code of .*audit-event-action/,
  },
  {
    title: 'RA-4: an element that R4 does not have',
    of: 'risk',
    seed: (risk) => (risk.confidence = 0.9),
    found: /confidence, which its definition does not know/,
  },
  {
    title: 'RA-4: a number as text',
    of: 'risk',
    seed: (risk) => (risk.prediction[0].probabilityDecimal = '14.7'),
    found: /probabilityDecimal.* is no decimal: a string/,
  },
  {
    title: 'RA-4: an extension that nobody defines',
    of: 'risk',
    seed: (risk) =>
      risk.extension.push({ url: 'https://fhirsight.org/fhir/StructureDefinition/guess', valueBoolean: true }),
    found: /is an extension that nobody defines/,
  },
  {
    title: 'RA-4: an input without the state that says how it came about',
    of: 'risk',
    seed: (risk) => {
      const input = risk.extension.find(({ url }: Ext) => url.endsWith('/prediction-input'));
      input.extension = input.extension.filter(({ url }: Ext) => url !== 'state');
    },
    found: /extension:state.* at least 1 is needed/,
  },
];

const v3Confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';

interface Ext {
  readonly url: string;
}

function isPercent({ url }: Ext): boolean {
  return url.endsWith('/prediction-percent');
}

// biome-ignore lint/suspicious/noExplicitAny: a part of what is seeded
function percentOf(prediction: any): any {
  return prediction.extension.find(isPercent);
}
