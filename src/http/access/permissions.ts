import { PredictionError } from '../../platform/errors.ts';
import type { Principal, Role } from '../principal.ts';

/** What one may do beside FHIR data. Behind `fhirsight/` each is a scope of its own. */
export const permissions = [
  'predictions.make', // $predict; what it reads and writes needs FHIR scopes besides
  'reports.review', // $review of a report; who reviews is the fhirUser of the token, and FHIR scopes must let them read and update it
  'models.read', // models, their versions and cards
  'models.manage', // promote, roll back, shadow, load anew
  'models.switch', // switch off and on
  'runs.read', // cohort runs, without their members
  'runs.manage', // start, cancel and resume runs, and list their members
  'deliveries.read',
  'deliveries.manage',
  'metrics.read',
  'audit.read', // AuditEvent
  'feedback.read', // answers to CDS Hooks cards, and their rates
  'feedback.comments', // what clinicians wrote beside them: it may name a patient
] as const;

export type Permission = (typeof permissions)[number];

/** What each role may do. */
export const permissionsOfRole: Readonly<Record<Role, readonly Permission[]>> = {
  caller: ['predictions.make', 'models.read'],
  reviewer: ['reports.review', 'models.read'],
  'model-owner': ['models.read', 'models.manage', 'models.switch', 'runs.read', 'metrics.read', 'feedback.read'],
  operator: [
    'models.read',
    'models.switch',
    'runs.read',
    'runs.manage',
    'deliveries.read',
    'deliveries.manage',
    'metrics.read',
    'feedback.read',
  ],
  auditor: ['models.read', 'runs.read', 'audit.read', 'feedback.read', 'feedback.comments'],
};

/** Whether a role of the principal, or a scope of its token that its issuer may grant, allows it. */
export function isPermitted(principal: Principal, permission: Permission): boolean {
  if (principal.ownScopes?.has(permission) === true) return true;
  return [...principal.roles].some((role) => permissionsOfRole[role].includes(permission));
}

/** Throws FORBIDDEN where it does not. */
export function requirePermission(principal: Principal, permission: Permission): void {
  if (isPermitted(principal, permission)) return;
  const roles = Object.entries(permissionsOfRole).flatMap(([role, held]) => (held.includes(permission) ? [role] : []));
  throw new PredictionError(
    'FORBIDDEN',
    `This needs the role ${roles.join(' or ')} in ACCESS_FILE, or the scope fhirsight/${permission} of an issuer that may grant it.`,
  );
}
