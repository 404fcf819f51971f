import type { AuditEvent, AuditEventAgent, AuditEventEntity } from '@medplum/fhirtypes';
import type { AccessRow } from '../../monitoring/access-row.ts';
import { outcomeOfStatus } from '../../monitoring/read-access-log.ts';
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
  thisServer,
} from './audit-parts.ts';

/**
 * One row of the access log as an AuditEvent, by the patterns of IHE BALP (Create, Read, Update, Delete, Query): who did what
 * to which resource of which Patient, by which request, and what came of it.
 */
export function accessEvent(row: AccessRow, frame: AuditFrame): AuditEvent & { id: string } {
  const recorded = row.recorded.toISOString();
  return {
    resourceType: 'AuditEvent',
    id: row.id,
    type: restType,
    ...(row.interaction !== null && {
      subtype: [{ system: interactions, code: row.interaction, display: row.interaction }],
    }),
    action: row.action,
    period: { start: new Date(row.recorded.getTime() - row.total_ms).toISOString(), end: recorded },
    recorded,
    outcome: outcomeOfStatus(row.status),
    outcomeDesc: row.error_code === null ? `${row.status}` : `${row.status}: ${row.error_code}`,
    agent: agents(row, frame),
    source: auditSource(row.tenant, frame),
    entity: entities(row, frame),
  };
}

/** Data flow from the source to the destination: to the server, but for what is read. */
function agents(row: AccessRow, frame: AuditFrame): AuditEventAgent[] {
  const source = coded(dicom, '110153', 'Source Role ID');
  const destination = coded(dicom, '110152', 'Destination Role ID');
  const reads = row.action === 'R';
  return [
    {
      type: reads ? destination : source,
      who: { display: row.client },
      altId: row.client_key,
      name: row.client,
      requestor: row.user_ref === null,
    },
    { type: reads ? source : destination, who: thisServer(frame.fhirBase), requestor: false },
    ...(row.user_ref === null ? [] : [humanUser(row.user_ref, null, frame)]),
  ];
}

function entities(row: AccessRow, frame: AuditFrame): AuditEventEntity[] {
  const { resource_type: type, resource_id: id, subject_id: subject, query, fhir_base: base } = row;
  const found: AuditEventEntity[] = [
    {
      what: { identifier: { value: row.request_id } },
      type: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
    },
  ];
  if (subject !== null) {
    found.push({ what: placed(`Patient/${subject}`, base, frame), type: person, role: objectRole('1', 'Patient') });
  }
  if (query !== null) {
    found.push({
      type: systemObject,
      role: objectRole('24', 'Query'),
      description: query,
      query: Buffer.from(query).toString('base64'),
    });
  } else {
    found.push({
      ...(type !== null && id !== null
        ? { what: placed(`${type}/${id}`, base, frame) }
        : { what: { ...(id !== null && { identifier: { value: id } }), display: type ?? row.route } }),
      type: systemObject,
      role: objectRole('4', 'Domain Resource'),
      detail: [
        { type: 'route', valueString: row.route },
        { type: 'way', valueString: row.way },
        { type: 'proved-by', valueString: row.proved_by },
        { type: 'total-ms', valueString: row.total_ms.toFixed(3) },
      ],
    });
  }
  return found;
}
