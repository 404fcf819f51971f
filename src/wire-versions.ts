import { changedSince } from './governance/versions/changed-since.ts';
import { takeFirstDefaults } from './governance/versions/first-defaults.ts';
import { createVersionDesk, type VersionDesk } from './governance/versions/version-desk.ts';
import { openVersionStates } from './governance/versions/version-states.ts';
import type { Catalog } from './model-catalog/catalog.ts';
import { highestStands, type Standing } from './model-catalog/standing.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import type { Database } from './platform/database.ts';
import type { Logger } from './platform/logger.ts';
import type { LoadedModels } from './wire-models.ts';
import { createReloader, type ReloadReport } from './wire-reload.ts';
import { versionsInRuns } from './wire-runs.ts';
import { type ServedModels, serveModels } from './wire-served-models.ts';

/** The models as they are served, and all that changes it. */
export interface Versions {
  readonly models: ServedModels;
  /** Changes which versions speak. */
  readonly desk: VersionDesk;
  /** See Reloader.reload. */
  readonly reload: () => Promise<ReloadReport>;
}

/**
 * Where there is no record yet the highest version of each model is its default. `recorded`: the first record says so, and what
 * comes later is a candidate; `assumed`: nothing is decided, for a command that only reads or predicts.
 */
export type FirstDefaults = 'recorded' | 'assumed';

/** A kill switch that is thrown at another server works here within a second. */
const lookForStatesEveryMs = 300;

/** Serves what was loaded as the records in the database say. @param subjectBase of the record source, for its runs */
export async function openVersions(
  loaded: LoadedModels,
  house: {
    readonly config: Config;
    readonly database: Database;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly subjectBase: string;
    readonly firstDefaults: FirstDefaults;
  },
  opened: (close: () => Promise<void>) => void,
): Promise<Versions> {
  const { config, database, clock, logger, subjectBase, firstDefaults } = house;
  const states = await openVersionStates({
    database,
    tenant: config.tenant,
    now: () => clock.now(),
    event: (event) => logger.event(event),
    // Nobody else writes to the embedded database.
    ...(database.kind === 'postgresql' ? { lookEveryMs: lookForStatesEveryMs } : {}),
  });
  opened(() => states.close());
  if (firstDefaults === 'recorded') await takeFirstDefaults(states, loaded.contents.versions);
  const highest = highestStands(loaded.contents.versions);
  const standing = (): Standing => (states.standing().isEmpty ? highest : states.standing());
  const models = serveModels(loaded, standing);
  const { catalog } = models;
  reportDefaults(catalog, logger);
  const changed = changedSince(states.standing(), catalog.list());
  if (changed.defaults.length + changed.shadows.length > 0)
    logger.event({ name: 'models.changed-since-promoted', ...changed });
  const reloader = createReloader({
    loaded,
    served: models,
    standing,
    inUse: () => versionsInRuns(database, config.tenant, subjectBase),
    logger,
  });
  opened(() => reloader.close());
  return {
    models,
    desk: createVersionDesk(states, catalog),
    async reload() {
      const report = await reloader.reload();
      reportDefaults(catalog, logger);
      return report;
    },
  };
}

/** Calls that name no version are refused for these models: whoever runs the server must hear of it. */
function reportDefaults(catalog: Catalog, logger: Logger): void {
  for (const { model, reason } of catalog.withoutDefault())
    logger.event({ name: 'model.without-default', model, reason });
}
