import type { AuditEvent, AuditEventAgent, AuditEventEntity, AuditEventEntityDetail } from '@medplum/fhirtypes';
import type { PredictionRow } from '../../monitoring/prediction-row.ts';
import { auditOutcome } from './audit-outcome.ts';
import {
  type AuditFrame,
  auditSource,
  coded,
  dicom,
  humanUser,
  interactions,
  objectRole,
  person,
  placed,
  restType,
  systemObject,
} from './audit-parts.ts';
import { isRest } from './is-rest.ts';

const own = 'https://fhirsight.org/fhir';

/** One row of the prediction log as an AuditEvent (AUD-1): who asked which model about whom, from what, and what came of it. */
export function auditEvent(row: PredictionRow, frame: AuditFrame): AuditEvent & { id: string } {
  return {
    resourceType: 'AuditEvent',
    id: row.id,
    type: isRest(row.entrance) ? restType : { system: dicom, code: '110110', display: 'Patient Record' },
    subtype: [
      ...(isRest(row.entrance) ? [{ system: interactions, code: 'operation', display: 'operation' }] : []),
      { system: `${own}/CodeSystem/entrance`, code: row.entrance },
    ],
    action: 'E',
    period: {
      start: new Date(row.recorded.getTime() - row.total_ms).toISOString(),
      end: row.recorded.toISOString(),
    },
    recorded: row.recorded.toISOString(),
    outcome: auditOutcome(row.error_code),
    outcomeDesc: outcomeText(row),
    agent: [requestor(row, frame), ...modelAgent(row)],
    source: auditSource(row.tenant, frame),
    entity: entities(row, frame),
  };
}

function outcomeText(row: PredictionRow): string {
  return row.shadow ? `shadow, shown to nobody: ${stateText(row)}` : stateText(row);
}

function stateText({ state, error_code, verdicts }: PredictionRow): string {
  if (error_code !== null) return `failed: ${error_code}`;
  if (state === 'scored') return state;
  return `abstained: ${[...new Set(Object.values(verdicts ?? {}).map((verdict) => verdict.state))].join(', ')}`;
}

function requestor(row: PredictionRow, frame: AuditFrame): AuditEventAgent {
  const { user_ref: user, client } = row;
  if (user !== null) {
    return { ...humanUser(user, row.fhir_base, frame), ...(client === null ? {} : { name: client }) };
  }
  return {
    type: coded(dicom, '110153', 'Source Role ID'),
    who: { display: client ?? `Unidentified caller (${row.entrance})` },
    ...(client === null ? {} : { altId: client }),
    requestor: true,
  };
}

/** The model is named by its identifier: its Device is stored only where a result was written. */
function modelAgent({ model_id: id, model_version: version, model_digest: digest }: PredictionRow): AuditEventAgent[] {
  if (id === null) return [];
  return [
    {
      type: coded(dicom, '110150', 'Application'),
      who: {
        type: 'Device',
        identifier: { system: `${own}/NamingSystem/model`, value: `${id}|${version}|${digest}` },
        display: `${id} ${version}`,
      },
      name: id,
      requestor: false,
    },
  ];
}

function entities(row: PredictionRow, frame: AuditFrame): AuditEventEntity[] {
  const { subject_id: subject, encounter_id: encounter, fhir_base: base, card, run } = row;
  const found: AuditEventEntity[] = [];
  if (subject !== null) {
    found.push({
      what: placed(`Patient/${subject}`, base, frame),
      type: person,
      role: objectRole('1', 'Patient'),
    });
  }
  if (encounter !== null) found.push({ what: placed(`Encounter/${encounter}`, base, frame), type: systemObject });
  found.push(predictionEntity(row));
  if (row.input_hash !== null) {
    found.push({
      name: 'Model inputs',
      type: systemObject,
      role: objectRole('4', 'Domain Resource'),
      detail: [
        text('sha256', row.input_hash),
        ...(row.input_references ?? []).filter((reference) => reference !== '').map((one) => text('reference', one)),
        ...Object.entries(row.missing ?? {}).map(([name, because]) => text('missing', `${name}: ${because}`)),
        ...(row.assumed ?? []).map((name) => text('assumed', name)),
      ],
    });
  }
  if (card !== null) found.push({ what: { identifier: { value: card } }, name: 'CDS Hooks card', type: systemObject });
  if (run !== null) found.push({ what: { identifier: { value: run } }, name: 'Cohort run', type: systemObject });
  return found;
}

/** What was asked for and what came of it: also where there is no result. */
function predictionEntity(row: PredictionRow): AuditEventEntity {
  const { result, written } = row;
  const type = row.result_type ?? 'RiskAssessment';
  const named = result === null ? {} : { identifier: { system: `${own}/NamingSystem/prediction`, value: result } };
  const stored = written === null ? {} : { reference: `${type}/${written}` };
  return {
    ...(result === null ? {} : { what: { ...stored, type, ...named } }),
    name: 'Prediction',
    type: systemObject,
    role: objectRole('3', 'Report'),
    detail: [
      text('request-id', row.request_id),
      text('model', row.model_id),
      text('version', row.model_version),
      text('digest', row.model_digest),
      text('service', row.service),
      text('as-of', row.as_of?.toISOString() ?? null),
      text('what-if', row.what_if ? 'true' : null),
      text('error', row.error_code),
      ...Object.entries(row.verdicts ?? {}).map(([outcome, { state, reasons }]) =>
        text('verdict', `${outcome}: ${[state, ...reasons].join(' ')}`),
      ),
      ...Object.entries(row.scores ?? {}).map(([outcome, score]) => text('score', `${outcome}: ${score}`)),
      ...timings.map((name) => text(name.replace('_', '-'), row[name]?.toFixed(3) ?? null)),
    ].filter((detail) => detail.valueString !== ''),
  };
}

const timings = ['gather_ms', 'features_ms', 'infer_ms', 'explain_ms', 'build_ms', 'write_ms', 'total_ms'] as const;

/** A detail; an empty one, to be left out, where there is nothing to say. */
function text(type: string, value: string | null): AuditEventEntityDetail {
  return { type, valueString: value ?? '' };
}
