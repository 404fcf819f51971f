import { randomUUID } from 'node:crypto';
import type { HookReports } from './entrances/cds-hooks/answer-hook.ts';
import { predictJobText } from './entrances/fhir-operation/predict-job.ts';
import { keepToldReports } from './monitoring/told-reports.ts';
import type { Config } from './platform/config.ts';
import type { Caller } from './prediction/prediction-request.ts';
import { findStudyReports } from './prediction/study-reports.ts';
import type { House } from './wire.ts';
import { findStudyOutcomes } from './write-back/outcome-table.ts';
import { readReport } from './write-back/read-report.ts';

/** After a try that gave nothing, such as one of an image server that failed, none is made for so long, however many calls come. */
const restMs = 60_000;

/** What hooks show of reports, and how they have them made: as an asynchronous `$predict` that writes its result. */
export function hookReports(
  {
    database,
    prediction,
    operationJobs,
    source,
    lookedUp,
  }: Pick<House, 'database' | 'prediction' | 'operationJobs' | 'source' | 'lookedUp'>,
  { tenant }: Pick<Config, 'tenant'>,
): HookReports {
  const { clock } = prediction;
  return {
    find: (asked) =>
      lookedUp(
        (request) =>
          findStudyReports(
            {
              ...prediction,
              outcomes: (of) => findStudyOutcomes(database, of),
              report: (outcome) => readReport(database, outcome),
            },
            request,
          ),
        asked,
      ),
    areMadeFor: (base) => {
      const server = prediction.openServer(base, undefined);
      // Nothing was asked that could fail to close.
      void server?.close();
      return server?.source.base === source.base;
    },
    ask: ({ requestId, entrance, caller, model, subject }, { reference, isOneOfSeveral }) =>
      operationJobs.createOnce({
        owner: caller?.key ?? 'nobody',
        subject,
        request: predictJobText(
          {
            // Who asks about whom, and nothing else of the call: neither its token nor what it brought along, nor the card, which shows something else.
            request: {
              requestId,
              entrance,
              model,
              subject,
              // Of several studies it finds the newest by itself, and the others too.
              ...(isOneOfSeveral ? {} : { focus: reference }),
              seed: [],
              inputs: [],
              writeBack: true,
              ...(caller && { caller: whoAsks(caller) }),
            },
            preferred: 'minimal',
          },
          clock.now(),
        ),
        once: JSON.stringify([model, subject, reference]),
        restMs,
      }),
    told: (told) => keepToldReports({ database, clock, tenant, newId: randomUUID }, told),
  };
}

function whoAsks({ key, client, user }: Caller): Caller {
  return {
    ...(key === undefined ? {} : { key }),
    ...(client === undefined ? {} : { client }),
    ...(user === undefined ? {} : { user }),
  };
}
