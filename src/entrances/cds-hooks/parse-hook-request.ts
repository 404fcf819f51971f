import type { ErrorIssue } from '../../platform/errors.ts';
import { bodyCheck, invalidBody } from './check-body.ts';
import type { HookContext } from './context-reader.ts';
import { type HookRequestBody, hookRequestSchema, longestBase } from './hook-schemas.ts';

/** A CDS Hooks request that has the form of its hook. */
export interface HookRequest {
  readonly hook: string;
  readonly context: HookContext;
  /** The FHIR server of the call; base without a trailing slash. */
  readonly fhirServer?: { readonly base: string; readonly accessToken?: string; readonly expiresInMs?: number };
  /** By key, as it came. */
  readonly prefetch: Readonly<Record<string, unknown>>;
}

const checkRequest: (value: unknown, path: string) => asserts value is HookRequestBody =
  bodyCheck<HookRequestBody>(hookRequestSchema);

/** What a service takes: one hook, and what its context says. */
export interface OfferedHook {
  readonly hook: string;
  readonly readContext: (context: unknown) => HookContext;
}

/**
 * Reads the body of a service call.
 * @param offered what the called service offers, told apart by the hook (CDS-4, CDS-10)
 * @throws PARAMETER_INVALID naming where and what is allowed
 */
export function parseHookRequest<Offered extends OfferedHook>(
  body: unknown,
  offered: readonly Offered[],
): HookRequest & { readonly service: Offered } {
  checkRequest(body, '');
  const service = offered.find(({ hook }) => hook === body.hook);
  if (service === undefined) {
    const hooks = offered.map(({ hook }) => hook).join(' or ');
    throw invalid('hook', `hook must be ${hooks}: this service offers no other.`, 'not-supported');
  }
  const { hook } = service;
  const context = service.readContext(body.context);
  const { fhirAuthorization: authorization, prefetch = {} } = body;
  if (authorization !== undefined && body.fhirServer === undefined)
    throw invalid('fhirServer', 'fhirServer is missing; it is required beside fhirAuthorization.', 'required');
  if (authorization?.patient !== undefined && authorization.patient !== context.patientId)
    throw invalid('fhirAuthorization.patient', 'fhirAuthorization.patient must be context.patientId.');
  if (body.fhirServer === undefined) return { service, hook, context, prefetch };
  const token =
    authorization === undefined
      ? {}
      : { accessToken: authorization.access_token, expiresInMs: authorization.expires_in * 1000 };
  return { service, hook, context, fhirServer: { base: baseOf(body.fhirServer), ...token }, prefetch };
}

/** In one spelling, so that a server has one name however it is written: no trailing slash, host in lower case. */
function baseOf(text: string): string {
  const url = URL.parse(text);
  const web = url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
  if (!web || url.username !== '' || url.password !== '' || text.includes('?') || text.includes('#')) {
    throw invalid(
      'fhirServer',
      'fhirServer must be an absolute http or https URL without user, password, query or fragment.',
    );
  }
  const base = url.href.replace(/\/+$/, '');
  if (base.length > longestBase)
    throw invalid('fhirServer', `fhirServer must be at most ${longestBase} characters long, with what a URL escapes.`);
  return base;
}

function invalid(expression: string, message: string, code: ErrorIssue['code'] = 'value') {
  return invalidBody([{ code, message, expression }]);
}
