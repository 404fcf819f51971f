import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { type ErrorIssue, PredictionError } from '../../platform/errors.ts';

/** It stops at the first finding: a long list of things that are wrong must cost no more than one of them. */
const ajv = new Ajv({ allErrors: false, strict: true, strictTypes: false, strictRequired: false });

/** At most so many findings are named. */
const issueCap = 20;

/**
 * Compiles a schema into a check of bodies, or parts of them. The check throws PARAMETER_INVALID for the first thing that
 * is wrong: where, and what is allowed; never what was sent.
 */
export function bodyCheck<T>(schema: TSchema): (value: unknown, path: string) => asserts value is T {
  const validate: ValidateFunction<T> = ajv.compile<T>(schema);
  return (value, path) => {
    if (!validate(value)) throw invalidBody((validate.errors ?? []).map((error) => issueOf(error, path, schema)));
  };
}

/** PARAMETER_INVALID with these issues; the first one is the message. */
export function invalidBody(issues: readonly ErrorIssue[]): PredictionError {
  const told = distinct(issues).slice(0, issueCap);
  return new PredictionError('PARAMETER_INVALID', told[0]?.message ?? 'The body is invalid.', { issues: told });
}

function distinct(issues: readonly ErrorIssue[]): ErrorIssue[] {
  return [...new Map(issues.map((issue) => [issue.message, issue])).values()];
}

function issueOf(error: ErrorObject, path: string, schema: TSchema): ErrorIssue {
  const place = expressionOf(error.instancePath, path);
  if (error.keyword === 'required') {
    const name = `${place === '' ? '' : `${place}.`}${error.params.missingProperty}`;
    const code = 'required';
    return { code, message: `${name} is missing; CDS Hooks requires it.`, expression: place === '' ? name : place };
  }
  const said = descriptionAt(error, schema);
  const allowed = said === undefined ? sentenceOf(error) : `must be ${said}`;
  const message = `${place === '' ? 'The body' : place} ${allowed}.`;
  return { code: 'value', message, ...(place === '' ? {} : { expression: place }) };
}

function sentenceOf({ keyword, params, message = 'is invalid' }: ErrorObject): string {
  switch (keyword) {
    case 'type':
      return `must be ${article(String(params.type))}, never null: what is not known is left out`;
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`;
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return 'must not be empty: what is not known is left out';
    case 'maxItems':
      return `must hold at most ${params.limit} entries`;
    case 'maxLength':
      return `must be at most ${params.limit} characters long`;
    default:
      return message;
  }
}

function article(type: string): string {
  return /^[aeio]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** What the schema says of the place that a pattern refused. */
function descriptionAt({ keyword, schemaPath }: ErrorObject, schema: TSchema): string | undefined {
  if (keyword !== 'pattern') return undefined;
  let at: unknown = schema;
  for (const part of schemaPath.split('/').slice(1, -1)) at = (at as Record<string, unknown> | undefined)?.[part];
  const { description } = (at ?? {}) as { description?: unknown };
  return typeof description === 'string' ? description : undefined;
}

/** `/feedback/0/card` as `feedback[0].card`. */
function expressionOf(pointer: string, path: string): string {
  return pointer
    .split('/')
    .slice(1)
    .reduce((done, part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      return /^\d+$/.test(name) ? `${done}[${name}]` : `${done === '' ? '' : `${done}.`}${name}`;
    }, path);
}
