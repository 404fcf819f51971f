/** What a field of a hook's context holds. Ids are bare, references are `Type/id` (CDS-70). */
export const contextFieldKinds = [
  'id',
  'user',
  'text',
  'reference',
  'references',
  'resource',
  'resources',
  'bundle',
] as const;
export type ContextFieldKind = (typeof contextFieldKinds)[number];

/** One field of a hook's context. */
export interface ContextField {
  readonly is: ContextFieldKind;
  readonly optional?: boolean;
  /** Of a resource: its type; absent: any. */
  readonly type?: string;
  /** Its resources are what the user is about to do or to record, and none is a fact yet: drafts, with or without an id (CDS-71). */
  readonly proposed?: boolean;
  /** What it names or holds is what a prediction can be about, one by one. */
  readonly focus?: boolean;
  /** Types of the resources that it names or holds; absent: any. */
  readonly holds?: readonly string[];
  /** Of references: the field of which they pick what the call is about. */
  readonly selects?: string;
}

/** One version of a hook: its context. Every context names the patient, who is the subject. */
export interface HookVersion {
  /** As its definition is published (`hookVersion` of CDS Hooks 3.0). */
  readonly version: string;
  readonly context: Readonly<Record<string, ContextField>>;
}

const patientId: ContextField = { is: 'id' };
const encounterId: ContextField = { is: 'id', optional: true };
const byUser = { userId: { is: 'user' }, patientId, encounterId } as const;
const atEncounter = { ...byUser, encounterId: { is: 'id' } } as const;
const orderTypes = [
  'CommunicationRequest',
  'DeviceRequest',
  'MedicationRequest',
  'NutritionOrder',
  'ServiceRequest',
  'SupplyRequest',
  'Task',
  'VisionPrescription',
] as const;
const drafts = (holds: readonly string[]): ContextField => ({ is: 'bundle', proposed: true, focus: true, holds });
const draftOrders = drafts(orderTypes);

/**
 * The hooks of the CDS Hooks library whose context names a patient, each with its versions, the newest first.
 * @see https://cds-hooks.hl7.org/hooks/
 */
export const hookLibrary = {
  'patient-view': [{ version: '1.0', context: byUser }],
  'encounter-start': [{ version: '1.0', context: atEncounter }],
  'encounter-discharge': [{ version: '1.0', context: atEncounter }],
  'order-select': [
    {
      version: '1.0',
      context: { ...byUser, selections: { is: 'references', selects: 'draftOrders' }, draftOrders },
    },
  ],
  'order-sign': [{ version: '1.0', context: { ...byUser, draftOrders } }],
  'order-dispatch': [
    {
      version: '1.1',
      context: {
        patientId,
        encounterId,
        performer: { is: 'reference' },
        dispatchedOrders: { is: 'references', focus: true, holds: orderTypes },
        fulfillmentTasks: { is: 'resources', optional: true, type: 'Task' },
      },
    },
    {
      version: '1.0',
      context: {
        patientId,
        encounterId,
        performer: { is: 'reference' },
        order: { is: 'reference', focus: true, holds: orderTypes },
        task: { is: 'resource', optional: true, type: 'Task' },
      },
    },
  ],
  'appointment-book': [{ version: '1.0', context: { ...byUser, appointments: drafts(['Appointment']) } }],
  'allergyintolerance-create': [
    {
      version: '0.1.0',
      context: { ...byUser, allergyIntolerance: { is: 'resource', type: 'AllergyIntolerance', proposed: true } },
    },
  ],
  'problem-list-item-create': [
    { version: '0.1.0', context: { ...byUser, conditions: { is: 'bundle', proposed: true } } },
  ],
  'medication-refill': [
    {
      version: '0.1.0',
      context: {
        patientId,
        encounterId,
        userId: { is: 'user', optional: true },
        medications: drafts(['MedicationRequest']),
      },
    },
  ],
} as const satisfies Readonly<Record<string, readonly HookVersion[]>>;

export type HookName = keyof typeof hookLibrary;
export const hookNames = Object.keys(hookLibrary) as HookName[];

/** How a hook that no library defines is named: a domain of its owner in reverse order, such as `com.example.sepsis-screen`. */
export const customHookPattern = '^[a-z][a-z0-9-]*(\\.[a-z0-9][a-zA-Z0-9-]*){2,}$';

/** A hook as a manifest names it: one of the library, perhaps in one version, or one with a context of its own. */
export interface NamedHook {
  readonly hook: string;
  readonly hookVersion?: string;
  readonly context?: Readonly<Record<string, ContextField>>;
}

/**
 * The versions of a hook that a service takes, the newest first; none where the library has no such hook or version and the
 * manifest declares no context.
 */
export function hookVersions({ hook, hookVersion, context }: NamedHook): readonly HookVersion[] {
  if (context !== undefined) return [{ version: hookVersion ?? '1.0', context }];
  const known: readonly HookVersion[] = Object.hasOwn(hookLibrary, hook) ? hookLibrary[hook as HookName] : [];
  return hookVersion === undefined ? known : known.filter(({ version }) => version === hookVersion);
}
