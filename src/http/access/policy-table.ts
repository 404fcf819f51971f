import type { Permission } from './permissions.ts';

/** What a route asks of whoever calls it. */
export type Need =
  /** Nothing: it says nothing about anybody. */
  | 'nothing'
  /** The JWT of a CDS client (CDS-60), which is looked at before the routes of CDS Hooks. */
  | 'cds-client'
  /** The route looks at a token of its own. */
  | 'own-token'
  /** FHIR scopes for each interaction, those of a Bundle's entries one by one (SM-12); decided where they are understood. */
  | 'fhir-scopes'
  /** `predictions.make`, and FHIR scopes for what the model reads and writes. */
  | 'prediction'
  /** It is refused: an operation is served only with a row of its own. */
  | 'unknown'
  | Permission;

export interface PolicyRow {
  /** `*`: whatever the method; the route itself refuses what it does not take. */
  readonly method: 'GET' | 'POST' | '*';
  /** As the routers write it. */
  readonly path: string;
  readonly need: Need;
}

const row = (method: PolicyRow['method'], path: string, need: Need): PolicyRow => ({ method, path, need });

/**
 * Every route of the server and what it asks for under AUTH=required; the first row that fits counts, and what fits none is
 * refused. `docs/security.md` says in words what each asks for.
 */
export const policyTable: readonly PolicyRow[] = [
  // The most used first: rows are tried one after the other.
  row('*', '/fhir/R4/$predict', 'prediction'),
  row('*', '/fhir/R4/Patient/$predict', 'prediction'),
  row('*', '/fhir/R4/Patient/:id/$predict', 'prediction'),
  row('*', '/fhir/R4/ImagingStudy/$predict', 'prediction'),
  row('*', '/fhir/R4/ImagingStudy/:id/$predict', 'prediction'),
  row('*', '/fhir/R4/DiagnosticReport/:id/$review', 'reports.review'),
  row('*', '/cds-services', 'cds-client'),
  row('*', '/cds-services/:service', 'cds-client'),
  row('*', '/cds-services/:service/feedback', 'cds-client'),
  row('*', '/fhir/R4/metadata', 'nothing'),
  row('*', '/fhir/R4/.well-known/smart-configuration', 'nothing'),
  row('*', '/fhir/R4/_async/:id', 'prediction'),
  row('*', '/fhir/R4/AuditEvent', 'audit.read'),
  row('*', '/fhir/R4/AuditEvent/*rest', 'audit.read'),
  row('*', '/fhir/R4/$:operation', 'unknown'),
  row('*', '/fhir/R4/*rest/$:operation', 'unknown'),
  row('*', '/fhir/R4', 'fhir-scopes'),
  row('*', '/fhir/R4/*rest', 'fhir-scopes'),
  row('*', '/models', 'models.read'),
  row('*', '/models/:id', 'models.read'),
  row('*', '/models/:id/:output', 'models.read'),
  row('*', '/models/:id/versions/:version', 'models.read'),
  row('*', '/models/:id/versions/:version/card', 'models.read'),
  row('*', '/models/:id/versions/:version/card/dsi', 'models.read'),
  row('*', '/schemas/:file', 'nothing'),
  row('*', '/.well-known/jwks.json', 'nothing'),
  row('GET', '/runs', 'runs.read'),
  row('*', '/runs', 'runs.manage'),
  row('*', '/runs/:id', 'runs.read'),
  row('*', '/runs/:id/members', 'runs.manage'),
  row('*', '/runs/:id/cancel', 'runs.manage'),
  row('*', '/runs/:id/resume', 'runs.manage'),
  row('*', '/subscriptions/imaging-study/:name', 'own-token'),
  row('*', '/subscriptions/imaging-study/:name/ImagingStudy/:id', 'own-token'),
  row('*', '/cds-feedback', 'feedback.read'),
  row('*', '/cds-feedback/rates', 'feedback.read'),
  row('*', '/deliveries', 'deliveries.read'),
  row('*', '/deliveries/summary', 'deliveries.read'),
  row('*', '/deliveries/redrive', 'deliveries.manage'),
  row('*', '/admin/models/reload', 'models.manage'),
  row('*', '/admin/models/:id/promote', 'models.manage'),
  row('*', '/admin/models/:id/roll-back', 'models.manage'),
  row('*', '/admin/models/:id/shadow', 'models.manage'),
  row('*', '/admin/models/:id/disable', 'models.switch'),
  row('*', '/admin/models/:id/enable', 'models.switch'),
  row('*', '/admin/models/:id/records', 'models.manage'),
  row('*', '/admin/subjects/forget', 'own-token'),
  row('*', '/metrics', 'metrics.read'),
  row('*', '/v2', 'own-token'),
  row('*', '/v2/*rest', 'own-token'),
];
