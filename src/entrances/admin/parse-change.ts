import { type ErrorIssue, PredictionError } from '../../platform/errors.ts';

/** What the body of a change says. */
export interface ChangeBody {
  readonly version?: string;
  readonly service?: string;
  /** Who asks, in words. */
  readonly by?: string;
  readonly because?: string;
  readonly on?: boolean;
}

type Field = keyof ChangeBody;

const longest = 500;

/**
 * Throws PARAMETER_INVALID with an issue for everything that is wrong.
 * @param allowed the fields that this change takes
 * @param required those of them that it needs
 */
export function parseChange(body: unknown, allowed: readonly Field[], required: readonly Field[]): ChangeBody {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw refused([{ message: `A change is asked for by a JSON object with ${allowed.join(', ')}.` }]);
  const given = body as Readonly<Record<string, unknown>>;
  const issues: ErrorIssue[] = [];
  const refuse = (expression: string, message: string): void => {
    issues.push({ code: 'value', message: `${expression}: ${message}`, expression });
  };
  for (const name of Object.keys(given)) {
    if (!(allowed as readonly string[]).includes(name))
      refuse(name.slice(0, 64), `unknown; allowed are ${allowed.join(', ')}.`);
  }
  for (const name of allowed) {
    const value = given[name];
    if (value === undefined) {
      if (required.includes(name)) refuse(name, 'missing.');
    } else if (name === 'on') {
      if (typeof value !== 'boolean') refuse(name, 'must be true or false.');
    } else if (typeof value !== 'string' || value.trim() === '' || value.length > longest || /\p{Cc}/u.test(value)) {
      refuse(name, `must be a text of 1 to ${longest} characters on one line.`);
    }
  }
  if (issues.length > 0) throw refused(issues);
  return given as ChangeBody;
}

function refused(issues: readonly ErrorIssue[]): PredictionError {
  return new PredictionError('PARAMETER_INVALID', issues.map(({ message }) => message).join(' '), { issues });
}
