import type { OperationDefinition, Parameters } from '@medplum/fhirtypes';
import { belowBase } from '../../fhir/reference.ts';
import type { Principal } from '../../http/principal.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { ReviewRequest } from '../../prediction/review.ts';
import { type ParsedParameter, parseParameters } from './parse-parameters.ts';

/** The longest comment, in characters: as much as a remark needs, and no second report. */
const longestComment = 4_000;
/** The longest reference to a reviewer, in characters. */
const longestReference = 500;
const verdicts = ['confirmed', 'rejected'] as const;
const practitioner = /^(?:https?:\/\/[!-~]+\/)?(?:Practitioner|PractitionerRole)\/[A-Za-z0-9.-]{1,64}$/;

/** What the Parameters of `$review` say: whose verdict it is, and which. */
export type ReviewFound = Pick<ReviewRequest, 'verdict' | 'reviewer' | 'comment'>;

/**
 * Translates the Parameters of `$review`. The reviewer is the person of the token where there is one, whoever the call names; a server that asks
 * for no token has to believe the call.
 * @param fhirBase of this server: people named below it are its own
 * Throws PARAMETER_INVALID, and FORBIDDEN where the token names no practitioner, or another than the call does.
 */
export function reviewFromParameters(
  definition: OperationDefinition,
  body: Parameters,
  { principal, fhirBase }: { readonly principal: Principal; readonly fhirBase: string },
): ReviewFound {
  const parsed = parseParameters(definition, body);
  const only = (name: string): ParsedParameter | undefined => parsed.get(name)?.[0];
  const comment = commentIn(only('comment'));
  return {
    verdict: verdictIn(only('verdict')),
    reviewer: reviewerOf(only('reviewer'), principal, fhirBase),
    ...(comment === undefined ? {} : { comment }),
  };
}

function verdictIn(sent: ParsedParameter | undefined): ReviewFound['verdict'] {
  const verdict = verdicts.find((one) => one === sent?.parameter.valueCode);
  if (verdict !== undefined) return verdict;
  throw invalid(sent?.expression, `Parameter 'verdict' must be ${verdicts.join(' or ')}.`, 'code-invalid');
}

function commentIn(sent: ParsedParameter | undefined): string | undefined {
  const comment = sent?.parameter.valueString;
  if (comment !== undefined && comment.length > longestComment)
    throw invalid(sent?.expression, `Parameter 'comment' has at most ${longestComment} characters.`, 'too-long');
  return comment;
}

function reviewerOf(sent: ParsedParameter | undefined, principal: Principal, fhirBase: string): string {
  const named = sent === undefined ? undefined : namedIn(sent, fhirBase);
  if (principal.provedBy === 'nothing') {
    if (named !== undefined) return named;
    throw invalid(
      'Parameters.parameter',
      '$review needs the parameter \'reviewer\', for example {"reference": "Practitioner/17"}: nobody is proved to this server.',
      'required',
    );
  }
  const { user } = principal;
  if (user === undefined || !isPractitioner(user))
    throw new PredictionError(
      'FORBIDDEN',
      'A report is reviewed by a person, and the token names no Practitioner and no PractitionerRole as fhirUser. Ask for a token with the scopes openid fhirUser, of a person who may review.',
    );
  if (named !== undefined && named !== user)
    throw new PredictionError(
      'FORBIDDEN',
      "Parameter 'reviewer' names another person than the fhirUser of the token: nobody reviews for somebody else. Leave it out.",
    );
  return user;
}

/** The display is left alone: what a person is called, only their server can say. */
function namedIn({ parameter, expression }: ParsedParameter, fhirBase: string): string {
  const reference = parameter.valueReference?.reference ?? '';
  const named = belowBase(reference, fhirBase) ?? reference;
  if (isPractitioner(named)) return named;
  throw invalid(
    expression,
    `Parameter 'reviewer' must be a literal reference to a Practitioner or PractitionerRole of at most ${longestReference} characters, without a version, a query, a fragment or a password, as {"reference": "Practitioner/17"}.`,
    'value',
  );
}

/** A URL says where the person is read, and nothing else: no query, no fragment, nobody's password. */
function isPractitioner(reference: string): boolean {
  if (reference.length > longestReference || !practitioner.test(reference)) return false;
  return !reference.startsWith('http') || (!/[?#@]/.test(reference) && URL.canParse(reference));
}

function invalid(expression: string | undefined, message: string, code: string): PredictionError {
  return new PredictionError('PARAMETER_INVALID', message, {
    issues: [{ code, message, ...(expression === undefined ? {} : { expression }) }],
  });
}
