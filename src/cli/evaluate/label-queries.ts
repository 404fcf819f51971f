import type { LabelEvent } from '../../model-catalog/label-event-schema.ts';
import type { RecordQuery } from '../../model-catalog/record-queries.ts';

type Kind = LabelEvent['events'][number]['kind'];

/**
 * What is read of a subject for a label, beside the Patient. Whole types: a follow-up is told from all of them, and what cannot
 * be decoded must be seen.
 */
export function labelQueries({ events, followedUntil }: LabelEvent): RecordQuery[] {
  const wants = (kind: Kind): boolean => events.some((event) => event.kind === kind) || isLast('record');
  const isLast = (last: 'encounter' | 'record'): boolean => 'last' in followedUntil && followedUntil.last === last;
  const codes = events.flatMap((event) => (event.kind === 'observation' ? event.codes : []));
  const subjectParameter = 'patient' as const;
  return [
    ...(wants('condition') ? [{ key: 'conditions', type: 'Condition' as const, subjectParameter }] : []),
    ...(wants('procedure') ? [{ key: 'procedures', type: 'Procedure' as const, subjectParameter }] : []),
    ...(wants('encounter') || isLast('encounter')
      ? [{ key: 'encounters', type: 'Encounter' as const, subjectParameter }]
      : []),
    ...(wants('observation')
      ? [
          {
            key: 'observations',
            type: 'Observation' as const,
            subjectParameter,
            ...(isLast('record') ? {} : { codes: [...new Set(codes)] }),
          },
        ]
      : []),
  ];
}
