import { localReference, type ServerBases } from './local-reference.ts';

/** Whose data: the same logical id on another server, or of another tenant, is another subject. */
export interface Subject extends ServerBases {
  readonly tenant: string;
  readonly id: string;
}

/** True if the reference names this subject on its own server. A reference that leads elsewhere, or none, does not. */
export function isSubject(reference: string | undefined, subject: Subject): boolean {
  if (isPatient(reference, subject.id)) return true;
  const local = localReference(reference, subject);
  return local?.id === subject.id && (local.type === undefined || local.type === 'Patient');
}

const prefix = 'Patient/';

/** True for `Patient/` and the id; told without putting the two together, for every resource of a record is asked. */
function isPatient(reference: string | undefined, id: string): boolean {
  return (
    typeof reference === 'string' &&
    reference.length === prefix.length + id.length &&
    reference.startsWith(prefix) &&
    reference.startsWith(id, prefix.length)
  );
}
