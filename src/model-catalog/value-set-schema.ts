import Type, { type Static } from 'typebox';

// The parts of a FHIR R4 ValueSet that are read; what else stands in it is not looked at.

const text = Type.String({ minLength: 1 });

/** A concept of an expansion, with those below it. */
export interface ExpandedConcept {
  readonly system?: string;
  readonly code?: string;
  readonly abstract?: boolean;
  readonly contains?: readonly ExpandedConcept[];
}

const expandedConcept = {
  type: 'object',
  properties: {
    system: text,
    code: text,
    abstract: Type.Boolean(),
    contains: { type: 'array', items: { $ref: '#/$defs/expandedConcept' } },
  },
};

const expansion = Type.Object({
  total: Type.Optional(Type.Integer()),
  offset: Type.Optional(Type.Integer()),
  parameter: Type.Optional(
    Type.Array(Type.Object({ name: text, valueBoolean: Type.Optional(Type.Boolean()) }), { minItems: 1 }),
  ),
  contains: Type.Optional(
    Type.Unsafe<ExpandedConcept[]>({ type: 'array', items: { $ref: '#/$defs/expandedConcept' } }),
  ),
});

const conceptSet = Type.Object({
  system: Type.Optional(text),
  concept: Type.Optional(Type.Array(Type.Object({ code: text }), { minItems: 1 })),
  filter: Type.Optional(Type.Array(Type.Unknown())),
  valueSet: Type.Optional(Type.Array(Type.Unknown())),
});

/** The form of `valueSets/*.json`. */
export const valueSetSchema = Type.Object(
  {
    resourceType: Type.Literal('ValueSet'),
    url: Type.Optional(text),
    version: Type.Optional(text),
    compose: Type.Optional(
      Type.Object({
        inactive: Type.Optional(Type.Boolean()),
        include: Type.Array(conceptSet, { minItems: 1 }),
        exclude: Type.Optional(Type.Array(conceptSet)),
      }),
    ),
    expansion: Type.Optional(expansion),
  },
  { $defs: { expandedConcept } },
);

export type ValueSetFile = Static<typeof valueSetSchema>;
export type ConceptSet = Static<typeof conceptSet>;
