import type { RecordQuery } from '../model-catalog/record-queries.ts';
import { answeredReader, unaskedServer } from '../records/answered-reader.ts';
import { callerBase, callerReader } from '../records/caller-reader.ts';
import { continuedSource } from '../records/continued-source.ts';
import { answersAsSeeds, readAnswers, readBegun } from '../records/held-answers.ts';
import type { RecordReader, RecordSource } from '../records/record-source.ts';
import type { InputParts } from './model-inputs.ts';
import type { PredictionRequest, RecordOrigin, Seed } from './prediction-request.ts';

/** Where the record of one prediction is read from. */
export interface OpenOrigin {
  readonly source: RecordSource | RecordReader;
  /** The FHIR base that names the subject in keys and identifiers. */
  readonly subjectBase: string;
  readonly seed: readonly Seed[];
  /** True where only the caller holds the record. */
  readonly heldByCaller: boolean;
  /**
   * True where a part of the record is known by the word of the caller alone: the result supersedes nothing and is never
   * written, and the prediction log is all that keeps it.
   */
  readonly unverified: boolean;
  close(): Promise<void>;
}

/**
 * Opens what a request names as the origin of the record; the caller of this function closes it.
 * Throws RESOURCE_INVALID and SUBJECT_FOREIGN for answers that cannot be used.
 */
export async function openOrigin(
  parts: InputParts,
  { origin, subject, seed }: Pick<PredictionRequest, 'origin' | 'subject' | 'seed'>,
  queries: readonly RecordQuery[],
): Promise<OpenOrigin> {
  const nothingToClose = async (): Promise<void> => undefined;
  if (origin === undefined) {
    const { source, subjectBase } = parts;
    return { source, subjectBase, seed, heldByCaller: false, unverified: false, close: nothingToClose };
  }
  if (origin.from === 'caller') {
    const { answers } = origin;
    const place = { tenant: parts.tenant, base: callerBase, id: subject };
    const held = answers === undefined ? [] : await answersAsSeeds(answers, place, parts.validate);
    const all = [...seed, ...held];
    const source = callerReader(
      all.map(({ resource }) => resource),
      answers === undefined ? undefined : new Set(answers.keys()),
    );
    return {
      source,
      subjectBase: callerBase,
      seed: all,
      heldByCaller: true,
      unverified: true,
      close: nothingToClose,
    };
  }
  return await openServerOrigin(parts, origin, { subject, seed }, queries);
}

async function openServerOrigin(
  parts: InputParts,
  origin: Extract<RecordOrigin, { from: 'server' }>,
  { subject, seed }: Pick<PredictionRequest, 'subject' | 'seed'>,
  queries: readonly RecordQuery[],
): Promise<OpenOrigin> {
  const server = parts.openServer(origin.base, origin.accessToken);
  // The own store decides about its own data, whatever a caller says it holds: it is asked in one statement.
  if (server?.source.own) {
    const { source, subjectBase } = server;
    return { source, subjectBase, seed, heldByCaller: false, unverified: false, close: () => server.close() };
  }
  const asked = server?.source ?? unaskedServer(origin.base);
  const { base, earlierBases } = asked;
  const place = { tenant: parts.tenant, base, id: subject, ...(earlierBases && { earlierBases }) };
  const read = async () => ({
    answers: await readAnswers(origin.answers, queries, place, parts.validate),
    begun: await readBegun(origin.begun ?? new Map(), queries, place, parts.validate),
  });
  const { answers, begun } = await read().catch(async (error: unknown) => {
    await server?.close();
    throw error;
  });
  const source = server === undefined ? asked : continuedSource(server.source, begun);
  return {
    source: answeredReader(answers, source, origin.unasked),
    subjectBase: server?.subjectBase ?? base,
    seed,
    heldByCaller: false,
    unverified: answers.rows.size > 0 || begun.size > 0 || answers.patient !== undefined,
    close: async () => await server?.close(),
  };
}
