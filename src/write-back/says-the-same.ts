import { isDeepStrictEqual } from 'node:util';
import type { Resource } from '@medplum/fhirtypes';

/** True where two resources differ at most in the elements named; 0.10 says the same as 0.1. */
export function saysTheSame(one: Resource, other: Resource, apartFrom: readonly string[]): boolean {
  return isDeepStrictEqual(said(one, apartFrom), said(other, apartFrom));
}

function said(resource: Resource, apartFrom: readonly string[]): Record<string, unknown> {
  const elements = JSON.parse(JSON.stringify(resource)) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(elements).filter(([name]) => !apartFrom.includes(name)));
}
