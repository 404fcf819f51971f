import Type, { type Static } from 'typebox';
import type { MedicationType } from '../fhir/medication-types.ts';
import { absence, described, duration, label, strict, suspectText, tokens } from './schema-terms.ts';

/** Intents of an order that may count; a proposal and an option say nothing of what the patient takes. */
const medicationIntents = ['order', 'original-order', 'reflex-order', 'filler-order', 'instance-order', 'plan'];

const statuses = Type.Array(Type.String(), { minItems: 1, uniqueItems: true, description: 'statuses that count' });

/** What a patient takes, read as yes or no. */
export const medication = Type.Object(
  {
    kind: Type.Literal('medication'),
    label,
    from: Type.Optional(
      Type.Array(Type.Enum(['request', 'statement', 'administration', 'dispense']), {
        minItems: 1,
        uniqueItems: true,
        description:
          'what is read: MedicationRequest (alone where it is left out), MedicationStatement, MedicationAdministration, MedicationDispense',
      }),
    ),
    codes: described(tokens, 'codes of the medication'),
    ingredients: Type.Optional(
      described(tokens, 'a Medication that holds one of these as an active ingredient counts, whatever its own code'),
    ),
    status: Type.Union(
      [
        statuses,
        Type.Object(
          {
            request: Type.Optional(statuses),
            statement: Type.Optional(statuses),
            administration: Type.Optional(statuses),
            dispense: Type.Optional(statuses),
          },
          { ...strict, minProperties: 1, description: 'by each source of `from`' },
        ),
      ],
      { description: 'statuses that count: a list where one source is read, else a list by source' },
    ),
    intent: Type.Optional(
      Type.Array(Type.Enum(medicationIntents), {
        minItems: 1,
        uniqueItems: true,
        description:
          'MedicationRequest intents that count; where it is left out, every kind of order and no plan. A proposal and an option never count',
      }),
    ),
    activeAt: Type.Optional(
      Type.Union([Type.Literal('status'), Type.Literal('period')], {
        description:
          'status (default): what has a status that counts today and had begun at as-of; period: what was going on at as-of by its period, bounds or supply',
      }),
    ),
    window: Type.Optional(
      described(
        duration,
        'how long before as-of an administration or a dispense may lie; needed by both, but for a dispense whose supply is counted (activeAt: period)',
      ),
    ),
    suspectText: Type.Optional(suspectText),
    absent: absence,
  },
  { ...strict, description: 'a medication that is ordered, taken, given or dispensed, read as yes or no' },
);

export type MedicationDefinition = Static<typeof medication>;
export type MedicationSource = NonNullable<MedicationDefinition['from']>[number];

export const typeOfSource: Readonly<Record<MedicationSource, MedicationType>> = {
  request: 'MedicationRequest',
  statement: 'MedicationStatement',
  administration: 'MedicationAdministration',
  dispense: 'MedicationDispense',
};

export function medicationSources({ from }: MedicationDefinition): readonly MedicationSource[] {
  return from ?? ['request'];
}

/** The statuses of a source that count. */
export function countingStatuses({ status }: MedicationDefinition, source: MedicationSource): readonly string[] {
  return Array.isArray(status) ? status : (status[source] ?? []);
}
