import type { Meta } from '@medplum/fhirtypes';

/** Numbers the resources of one patient: `sample-0001-obs-12`. */
export type NextId = (kind: 'obs' | 'cond' | 'rx' | 'med' | 'consent') => string;

export function openIds(patientId: string): NextId {
  const counts = new Map<string, number>();
  return (kind) => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return `${patientId}-${kind}-${count}`;
  };
}

/** What tells every sample resource from a real one: security label HTEST and the project's own origin tag. */
export function sampleMeta(): Meta {
  return {
    security: [
      {
        system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
        code: 'HTEST',
        display: 'test health data',
      },
    ],
    tag: [{ system: 'https://fhirsight.org/fhir/CodeSystem/data-origin', code: 'synthetic', display: 'Synthetic' }],
  };
}
