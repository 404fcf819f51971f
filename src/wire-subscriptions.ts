import { randomUUID } from 'node:crypto';
import { type GuardedSubscription, readSubscriptions } from './entrances/subscription/read-subscriptions.ts';
import type { ListedStudy, StudyIndex } from './fhir/studies/study-index.ts';
import { studySubject } from './fhir/studies/study-subject.ts';
import { studyVersion } from './fhir/studies/study-version.ts';
import { type Config, readSecretVariable } from './platform/config.ts';
import { PredictionError } from './platform/errors.ts';
import { openStudyNotices, type StudyNotices } from './runs/study-notices/open-study-notices.ts';
import type { FoundStudy, StudyFinder } from './runs/study-notices/study-subscription.ts';
import type { House } from './wire.ts';
import { predictOperationOf } from './wire-predict-operation.ts';

/** The subscriptions of a house, and what was told by them. */
export interface Subscriptions {
  readonly declared: readonly GuardedSubscription[];
  readonly notices: StudyNotices;
}

/** Studies that may wait for one subscription. */
const mostWaiting = 100_000;

/** Reads SUBSCRIPTIONS_FILE; undefined where none is set. Nothing is worked on before `notices.start`. Throws CONFIG_INVALID. */
export async function openSubscriptions(
  config: Config,
  house: Pick<House, 'database' | 'prediction' | 'predict' | 'studies' | 'catalog' | 'source' | 'validator'>,
  opened: (close: () => Promise<void>) => void,
): Promise<Subscriptions | undefined> {
  const { describeModel } = predictOperationOf(house, config, { authorise: () => undefined, predict: house.predict });
  const declared = await readSubscriptions(config.subscriptionsFile, {
    checkModel: (id) => {
      if (describeModel(id).readsImages) return;
      throw new PredictionError('CONFIG_INVALID', `${id} reads no images, so that no study concerns it. Leave it out.`);
    },
    checkSearch: (criteria) => house.studies.checkSearch(criteria),
    readVariable: readSecretVariable,
  });
  if (declared.length === 0) return undefined;
  const { database, prediction } = house;
  const notices = openStudyNotices({
    database,
    tenant: config.tenant,
    fhirBase: prediction.subjectBase,
    clock: prediction.clock,
    event: prediction.event,
    newId: randomUUID,
    studies: studyFinder(house.studies),
    predict: house.predict,
    subscriptions: declared,
    timeoutMs: config.predictTimeoutMs,
    lanes: 2,
    pollMs: 2_000,
    leaseMs: 30_000,
    alone: database.kind === 'pglite',
    mostWaiting,
  });
  opened(() => notices.close());
  return { declared, notices };
}

/** What subscriptions see of the studies of the record source. */
export function studyFinder(studies: StudyIndex): StudyFinder {
  const found = (study: ListedStudy): FoundStudy[] => {
    const { id } = study;
    if (id === undefined) return [];
    const subject = studySubject(study, studies.bases);
    const version = studyVersion(study);
    return [{ id, ...(subject === undefined ? {} : { subject }), ...(version === undefined ? {} : { version }) }];
  };
  return {
    async find(id, criteria, signal) {
      for await (const page of studies.list([['_id', id], ...criteria], signal)) {
        const study = page.find((one) => one.id === id);
        if (study !== undefined) return found(study)[0];
      }
      return undefined;
    },
    async *changedSince(since, criteria, signal) {
      const parameters = [...criteria, ['_lastUpdated', `ge${since.toISOString()}`] as const];
      for await (const page of studies.list(parameters, signal)) yield page.flatMap(found);
    },
  };
}
