import { PredictionError } from '../../platform/errors.ts';
import type { Cohort } from '../../runs/run.ts';

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

/** What is searched for, and by which parameters, decoded. */
export interface CohortSearch {
  readonly type: 'Patient' | 'ImagingStudy';
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads a relative search on Patient or ImagingStudy.
 * Throws PARAMETER_INVALID for another type, an absolute URL, what says nothing about who is meant, and `since` where it cannot be
 * meant: for patients, and beside `_lastUpdated`, by which it is asked.
 */
export function parseCohortSearch({ search, since }: Extract<Cohort, { readonly search: string }>): CohortSearch {
  const [, type, query] = /^(Patient|ImagingStudy)\?([^#\s]+)$/.exec(search) ?? [];
  if (query === undefined || (type !== 'Patient' && type !== 'ImagingStudy'))
    throw invalid(
      'A search must be relative and on Patient or ImagingStudy, for example Patient?gender=female or ImagingStudy?modality=CR; for every patient, send {"all": true}.',
    );
  if (since !== undefined && type === 'Patient')
    throw invalid(
      "since is for a search on ImagingStudy: a Patient does not change when the patient's record does. Leave it out.",
    );
  const parameters = [...new URLSearchParams(query)];
  for (const [name, value] of parameters) {
    if (!/^[A-Za-z_][A-Za-z0-9_.:-]*$/.test(name) || value === '')
      throw invalid(`'${name.slice(0, 80)}' is no search parameter with a value.`);
    const [base = name] = name.split(':');
    if (aboutTheAnswer.includes(base))
      throw invalid(`${base} says how an answer looks, not who is in the cohort. Leave it out.`);
    if (since !== undefined && base === '_lastUpdated')
      throw invalid('since asks by _lastUpdated itself. Leave one of them out.');
  }
  return { type, parameters };
}

function invalid(message: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code: 'value', message, expression: 'cohort.search' }],
  });
}
