import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Resource } from '@medplum/fhirtypes';
import { casesDir } from './cases.ts';

/** One synthetic patient of the cases and all that refers to them, in the order of the file. */
export interface SyntheaPatient {
  readonly id: string;
  readonly resources: readonly Resource[];
}

/** Reads the patients that Synthea made; each resource belongs to exactly one. Throws where one belongs to none. */
export function readSyntheaPatients(): SyntheaPatient[] {
  const file = path.join(casesDir, 'fhir/synthea_patients.ndjson.gz');
  const patients = new Map<string, Resource[]>();
  for (const line of gunzipSync(readFileSync(file)).toString('utf8').split('\n')) {
    if (line === '') continue;
    const resource = JSON.parse(line) as Resource;
    const owner = ownerOf(resource);
    const owned = patients.get(owner);
    if (owned === undefined) patients.set(owner, [resource]);
    else owned.push(resource);
  }
  return [...patients].map(([id, resources]) => ({ id, resources }));
}

function ownerOf(resource: Resource): string {
  if (resource.resourceType === 'Patient') return resource.id ?? '';
  const { subject, patient } = resource as { subject?: { reference?: string }; patient?: { reference?: string } };
  const id = /^urn:uuid:(\S+)$/.exec((subject ?? patient)?.reference ?? '')?.[1];
  if (id === undefined) throw new Error(`${resource.resourceType}/${resource.id} names no patient`);
  return id;
}
