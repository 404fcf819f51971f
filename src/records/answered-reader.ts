import type { Resource } from '@medplum/fhirtypes';
import { isFhirId } from '../fhir/reference.ts';
import { PredictionError } from '../platform/errors.ts';
import type { HeldAnswers } from './held-answers.ts';
import { readRecords } from './read-records.ts';
import type { RecordReader, RecordSource } from './record-source.ts';
import { referredNames } from './referred-names.ts';

/**
 * The record of one subject, of which a part was handed over already. The rest is read from the source it came from, in
 * one go where the source can; where nothing is missing, nobody is asked.
 * Throws RECORD_UNREACHABLE, also where something is missing that may not be asked for.
 * @param unasked why the source is not asked, in words, by the key of the query; `patient` for the Patient
 */
export function answeredReader(
  answers: HeldAnswers,
  source: RecordSource | RecordReader,
  unasked: ReadonlyMap<string, string> = new Map(),
): RecordReader {
  const { base, own, earlierBases } = source;
  return {
    base,
    own,
    ...(earlierBases && { earlierBases }),
    async readMany({ subjects, queries, also }, signal) {
      const [id = ''] = subjects;
      const held = queries.flatMap(({ key }) => answers.rows.get(key) ?? []);
      const missing = queries.filter(({ key }) => !answers.rows.has(key));
      refuseUnasked([...(answers.patient === undefined ? ['patient'] : []), ...missing.map(({ key }) => key)], unasked);
      const names = [...also, ...referredNames(held, source)].filter(isName);
      const unread = [...new Set(names)].filter((name) => !answers.resources.has(name));
      const asked = { subjects: [id], queries: missing, also: unread };
      const wanted = answers.patient === undefined ? asked : { ...asked, patients: false as const };
      const nothing = answers.patient !== undefined && missing.length === 0 && unread.length === 0;
      const read = nothing ? undefined : await readRecords(source, wanted, signal);
      const others = new Map<string, Resource>([...answers.resources, ...(read?.others ?? [])]);
      const rest = read?.subjects.get(id);
      const patient = answers.patient === undefined ? rest?.patient : answers.patient.found;
      const record = { rows: [...held, ...(rest?.rows ?? [])], ...(patient && { patient }) };
      return { subjects: new Map([[id, record]]), others };
    },
  };
}

function refuseUnasked(missing: readonly string[], unasked: ReadonlyMap<string, string>): void {
  const reasons = missing.flatMap((key) => {
    const why = unasked.get(key);
    return why === undefined ? [] : [`${key}: ${why}`];
  });
  if (reasons.length === 0) return;
  const message = `The call does not hold all that the model needs, and the FHIR server is not asked for it. ${reasons.join(' ')}`;
  throw new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code: 'transient', message }] });
}

function isName(name: string): boolean {
  return isFhirId(name.split('/')[1] ?? '');
}

/** A server that may not be asked: whatever was not handed over cannot be had. */
export function unaskedServer(base: string): RecordReader {
  return {
    base,
    own: false,
    readMany: ({ queries, also, patients }) => {
      // Types, not ids, and no path: the message is logged, and the path of a server that nobody listed may hold anything.
      const keys = [...(patients === false ? [] : ['patient']), ...queries.map(({ key }) => key)];
      const what = [...keys, ...new Set(also.map((name) => name.split('/')[0]))].join(', ');
      const message = `The call does not hold all that the model needs (${what}), and its server ${new URL(base).origin} is not listed in CDS_FHIR_SERVERS, so it is not asked. Send the missing data along, or have the server listed.`;
      return Promise.reject(
        new PredictionError('RECORD_UNREACHABLE', message, { issues: [{ code: 'transient', message }] }),
      );
    },
  };
}
