import { PredictionError } from '../../platform/errors.ts';

/** Parameters that say how an answer looks, not who is in it. */
const aboutTheAnswer = [
  '_count',
  '_page',
  '_sort',
  '_total',
  '_summary',
  '_elements',
  '_contained',
  '_include',
  '_revinclude',
  '_format',
  '_pretty',
];

/**
 * The parameters of a relative search on Patient, decoded.
 * Throws PARAMETER_INVALID for another type, an absolute URL, and what says nothing about who is meant.
 */
export function parseCohortSearch(search: string): readonly (readonly [string, string])[] {
  const query = /^Patient\?([^#\s]+)$/.exec(search)?.[1];
  if (query === undefined)
    throw invalid(
      'A search must be relative and on Patient, for example Patient?gender=female; for every patient, send {"all": true}.',
    );
  const parameters = [...new URLSearchParams(query)];
  for (const [name, value] of parameters) {
    if (!/^[A-Za-z_][A-Za-z0-9_.:-]*$/.test(name) || value === '')
      throw invalid(`'${name.slice(0, 80)}' is no search parameter with a value.`);
    const [base = name] = name.split(':');
    if (aboutTheAnswer.includes(base))
      throw invalid(`${base} says how an answer looks, not who is in the cohort. Leave it out.`);
  }
  return parameters;
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'value', message, expression: 'cohort.search' }],
  });
}
