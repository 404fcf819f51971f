import type { Resource } from '@medplum/fhirtypes';
import type { ErrorObject } from 'ajv';
import { type ErrorIssue, PredictionError } from '../platform/errors.ts';
import { createQuickCheck } from './quick-check.ts';
import { requiredConcepts } from './required-codes.ts';
import { createResourceSchemas, formats } from './resource-schemas.ts';
import { resourceTypes } from './resource-types.ts';

/** At most so many findings are reported; one is enough to refuse a resource. */
const issueCap = 20;

/** Deeper than this nothing in FHIR goes; beyond it only attacks do. */
const depthCap = 100;

export interface ResourceValidator {
  /**
   * Checks a value against base R4: elements, types, cardinalities, real dates, required codes of what
   * predictions use, references, and what is contained. `path` is the FHIRPath of the value in what the caller sent.
   * Throws RESOURCE_INVALID with one issue per finding, at most 20.
   */
  validate(value: unknown, path?: string): asserts value is Resource;
  /** The findings themselves; empty where the value is valid. With `entries: false` a Bundle's resources are skipped. */
  findings(value: unknown, path?: string, options?: { readonly entries?: boolean }): ErrorIssue[];
  /** Compiles the given types, one per turn of the event loop, so that a running server is not held up. */
  warmUp(types: readonly string[]): Promise<void>;
}

export function createResourceValidator(): ResourceValidator {
  const { schemaOf, firstFaultOf, definitionOf } = createResourceSchemas();
  const isCertainlyValid = (value: unknown, depth: number): boolean => {
    const type = isObject(value) ? value.resourceType : undefined;
    if (!isObject(value) || typeof type !== 'string') return false;
    return quickCheck(type)(value, depth) && (!boundTypes.has(type) || holdsRequiredConcepts(type, value));
  };
  const compileQuickCheck = createQuickCheck({ definitionOf, formats, resource: isCertainlyValid });
  const quickChecks = new Map<string, ReturnType<typeof compileQuickCheck>>();
  const quickCheck = (type: string): ReturnType<typeof compileQuickCheck> => {
    const known = quickChecks.get(type);
    if (known !== undefined) return known;
    if (!resourceTypes.has(type)) return () => false;
    const made = compileQuickCheck(type);
    quickChecks.set(type, made);
    return made;
  };

  function findings(value: unknown, path?: string, options: { readonly entries?: boolean } = {}): ErrorIssue[] {
    const found: ErrorIssue[] = [];
    // What is valid is most of what comes, and is told at a tenth of the cost; what is wrong with the rest is found below.
    if (options.entries !== false && isCertainlyValid(value, 0)) return found;
    inspect(value, path, found, options.entries ?? true, 0);
    return found.slice(0, issueCap);
  }

  function inspect(value: unknown, path: string | undefined, found: ErrorIssue[], entries: boolean, level: number) {
    if (found.length >= issueCap) return;
    const type = isObject(value) ? value.resourceType : undefined;
    if (!isObject(value) || typeof type !== 'string' || !resourceTypes.has(type)) {
      const given = typeof type === 'string' ? `'${type.slice(0, 64)}'` : 'none';
      found.push({
        code: 'structure',
        message: `A resource of FHIR R4 is needed here; resourceType is ${given}.`,
        expression: path ?? 'Resource',
      });
      return;
    }
    const at = path ?? type;
    if (!emptinessFindings(value, at, found, 0)) return;
    const validate = holdsLongArray(value) ? firstFaultOf(type) : schemaOf(type);
    if (!validate(value)) for (const error of validate.errors ?? []) found.push(schemaFinding(error, at));
    conceptFindings(type, value, at, found);
    for (const nested of nestedResources(value, at)) {
      if (nested.kind === 'entry' && !entries) continue;
      if (nested.kind === 'contained' && level > 0 && path?.includes('.contained[')) {
        found.push({
          code: 'invariant',
          message: 'A contained resource contains none itself.',
          expression: nested.path,
        });
      } else if (level < 4) inspect(nested.value, nested.path, found, entries, level + 1);
    }
  }

  return {
    findings,
    validate(value, path) {
      const found = findings(value, path);
      const first = found[0];
      if (first) throw new PredictionError('RESOURCE_INVALID', first.message, { issues: found });
    },
    async warmUp(types) {
      for (const type of types) {
        schemaOf(type);
        quickCheck(type);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** Longer than any list of one resource but a Bundle's; of what is valid nobody asks. */
const longArray = 500;

function holdsLongArray(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > longArray || value.some(holdsLongArray);
  return isObject(value) && Object.values(value).some(holdsLongArray);
}

/** False where the value nests deeper than FHIR can, or enough was found already: no other check runs on it then. */
function emptinessFindings(value: unknown, path: string, found: ErrorIssue[], depth: number): boolean {
  if (found.length >= issueCap) return false;
  if (depth > depthCap) {
    found.push({
      code: 'structure',
      message: `The value nests deeper than ${depthCap} levels.`,
      expression: path.slice(0, 200),
    });
    return false;
  }
  const complain = (what: string) =>
    found.push({ code: 'invalid', message: `${what} is not FHIR: leave the element out.`, expression: path });
  if (value === null) complain('null');
  else if (typeof value === 'string') {
    if (value === '') complain('An empty string');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    else if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(value)) complain('A control character');
    // Half of a surrogate pair is no character; PostgreSQL cannot read JSON that holds one.
    else if (!value.isWellFormed()) complain('Half a character (an unpaired surrogate)');
  }
  if (Array.isArray(value)) {
    if (value.length === 0) complain('An empty array');
    return value.every(
      (item, index) => item === null || emptinessFindings(item, `${path}[${index}]`, found, depth + 1),
    );
  } else if (isObject(value)) {
    const entries = Object.entries(value);
    if (entries.length === 0) complain('An empty object');
    for (const [key, item] of entries) {
      if (Array.isArray(item)) nullFindings(value, key, item, path, found);
      if (!emptinessFindings(item, `${path}.${key}`, found, depth + 1)) return false;
    }
  }
  return true;
}

/** Null may stand in an array only where its parallel array (`given`, `_given`) has something at the same place. */
function nullFindings(
  holder: Record<string, unknown>,
  key: string,
  items: unknown[],
  path: string,
  found: ErrorIssue[],
) {
  const parallel = holder[key.startsWith('_') ? key.slice(1) : `_${key}`];
  for (const [index, item] of items.entries()) {
    if (item !== null) continue;
    if (Array.isArray(parallel) && parallel[index] !== null && parallel[index] !== undefined) continue;
    found.push({
      code: 'invalid',
      message: 'null is not FHIR: leave the element out.',
      expression: `${path}.${key}[${index}]`,
    });
  }
}

function conceptFindings(type: string, resource: Record<string, unknown>, path: string, found: ErrorIssue[]) {
  for (const binding of requiredConcepts) {
    if (binding.type !== type) continue;
    const concept = resource[binding.element];
    const codings = isObject(concept) && Array.isArray(concept.coding) ? concept.coding : [];
    for (const coding of codings) {
      if (!isObject(coding) || coding.system !== binding.system || binding.codes.includes(String(coding.code)))
        continue;
      found.push({
        code: 'code-invalid',
        message: `'${String(coding.code).slice(0, 64)}' is not a code of ${binding.system}; allowed are ${binding.codes.join(', ')}.`,
        expression: `${path}.${binding.element}`,
      });
    }
  }
}

function holdsRequiredConcepts(type: string, resource: Record<string, unknown>): boolean {
  const found: ErrorIssue[] = [];
  conceptFindings(type, resource, '', found);
  return found.length === 0;
}

const boundTypes: ReadonlySet<string> = new Set(requiredConcepts.map(({ type }) => type));

interface Nested {
  readonly kind: 'contained' | 'entry';
  readonly path: string;
  readonly value: unknown;
}

function nestedResources(resource: Record<string, unknown>, path: string): Nested[] {
  const nested = arrayOf(resource.contained).map(
    (value, index): Nested => ({ kind: 'contained', path: `${path}.contained[${index}]`, value }),
  );
  if (resource.resourceType === 'Bundle') {
    for (const [index, entry] of arrayOf(resource.entry).entries()) {
      if (!isObject(entry)) continue;
      const at = `${path}.entry[${index}]`;
      if (entry.resource !== undefined) nested.push({ kind: 'entry', path: `${at}.resource`, value: entry.resource });
      const outcome = isObject(entry.response) ? entry.response.outcome : undefined;
      if (outcome !== undefined) nested.push({ kind: 'entry', path: `${at}.response.outcome`, value: outcome });
    }
  }
  if (resource.resourceType === 'Parameters')
    for (const held of parameterResources(resource.parameter, `${path}.parameter`)) nested.push(held);
  return nested;
}

function parameterResources(parameters: unknown, path: string): Nested[] {
  return arrayOf(parameters).flatMap((parameter, index): Nested[] => {
    if (!isObject(parameter)) return [];
    const at = `${path}[${index}]`;
    const own: Nested[] =
      parameter.resource === undefined ? [] : [{ kind: 'entry', path: `${at}.resource`, value: parameter.resource }];
    return [...own, ...parameterResources(parameter.part, `${at}.part`)];
  });
}

function schemaFinding(error: ErrorObject, path: string): ErrorIssue {
  const at = `${path}${fhirPathOf(error.instancePath)}`;
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(error.params.additionalProperty).slice(0, 64);
      return { code: 'structure', message: `'${name}' is no element of ${at} in FHIR R4.`, expression: at };
    }
    case 'required':
      return { code: 'required', message: `${error.params.missingProperty} is required and missing.`, expression: at };
    case 'elementRules': {
      const missing = String(error.message).endsWith('missing');
      return { code: missing ? 'required' : 'structure', message: `${error.message}.`, expression: at };
    }
    case 'enum':
      return {
        code: 'code-invalid',
        message: `${at} is not one of ${(error.params.allowedValues as unknown[]).join(', ')}.`,
        expression: at,
      };
    case 'format':
      return {
        code: 'value',
        message: `${at} is not a valid ${String(error.params.format).replace('fhir-', '')}.`,
        expression: at,
      };
    case 'type':
      return { code: 'structure', message: `${at} must be ${[error.params.type].flat()[0]}.`, expression: at };
    default:
      return { code: 'value', message: `${at} ${error.message ?? 'is invalid'}.`, expression: at };
  }
}

/** `/name/0/given/1` becomes `.name[0].given[1]`. */
function fhirPathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part.replace(/~1/g, '/').replace(/~0/g, '~')}`))
    .join('');
}

function arrayOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
