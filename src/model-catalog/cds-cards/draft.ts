import type { MedicationRequest, ServiceRequest, Task } from '@medplum/fhirtypes';

/** Where a draft says whom it is for. */
export const subjectElement = { ServiceRequest: 'subject', MedicationRequest: 'subject', Task: 'for' } as const;

export type DraftType = keyof typeof subjectElement;

/** A draft as the model's folder holds it: whom and which encounter it is for is not said yet. */
export type Draft = { readonly resourceType: DraftType } & Readonly<Record<string, unknown>>;

export type FilledDraft = ServiceRequest | MedicationRequest | Task;

/** Whom a draft is for: logical ids at the server of the call. */
export interface DraftFor {
  readonly patientId: string;
  readonly encounterId?: string | undefined;
}

/** The draft with its subject, and its encounter where the call names one. Nothing else is ever filled in. */
export function fillDraft(draft: Draft, { patientId, encounterId }: DraftFor): FilledDraft {
  return {
    ...draft,
    [subjectElement[draft.resourceType]]: { reference: `Patient/${patientId}` },
    ...(encounterId === undefined ? {} : { encounter: { reference: `Encounter/${encounterId}` } }),
  } as unknown as FilledDraft;
}
