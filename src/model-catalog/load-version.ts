import path from 'node:path';
import type { Clock } from '../platform/clock.ts';
import type { ReadUses } from './inspect-model-folder.ts';
import type { ModelLoader } from './model-loader.ts';
import type { LoadedVersion, ModelVersion } from './model-version.ts';
import { readModelFolder } from './read-models.ts';
import type { SiteFile } from './read-site-file.ts';
import { openRegistration, type Registration } from './registration/registration.ts';
import type { RegistrationReport } from './registration/registration-report.ts';
import { testVersion } from './registration/test-version.ts';

/** A server with many models starts within seconds; lint tries more. */
const budget = { ms: 2_000, mostRows: 1_000 } as const;

/** What a version is loaded with. */
export interface LoadOptions {
  readonly engine: ModelLoader;
  /** Where the time of the report comes from. */
  readonly clock: Clock;
  /** A last word of the caller on a folder that was read: throws where the later stages cannot use it. */
  readonly accept?: (version: ModelVersion) => void;
  /** Local codes and units, read into every map. */
  readonly site?: SiteFile;
}

/** A version that passed every test, or why it is refused and what was tested until then. */
export type Registered =
  | { readonly version: LoadedVersion }
  | { readonly error: Error; readonly report: RegistrationReport };

/**
 * Reads one version folder, loads its artefact and tests it, at start and at every reload: nothing is served that did not
 * pass through here. Nothing stays open of one that is refused. @param read see `inspectModelFolder`
 */
export async function loadVersion(dir: string, options: LoadOptions, read: ReadUses): Promise<Registered> {
  const folder = path.resolve(dir).split(path.sep).slice(-2).join('/');
  const registration = openRegistration(folder, options.clock);
  try {
    return { version: await readAndTest(dir, options, read, registration) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error, report: registration.report(error) };
  }
}

async function readAndTest(
  dir: string,
  { engine, accept, site }: LoadOptions,
  read: ReadUses,
  registration: Registration,
): Promise<LoadedVersion> {
  const started = performance.now();
  const { version } = await registration.check('folder', async () => {
    const found = await readModelFolder(dir, site, read);
    accept?.(found);
    registration.know({ digest: found.digest });
    return { tested: 'files', count: Object.keys(found.manifest.checksums).length + 1, version: found };
  });
  const model = await testVersion(version, engine, registration, budget);
  return {
    ...version,
    loadMs: performance.now() - started,
    registration: registration.report(),
    engine: model.report,
    inputs: model.inputs,
    outputs: model.outputs,
    run: (rows, options) => model.run(rows, options),
    infer: (feeds, wanted, options) => model.infer(feeds, wanted, options),
    release: () => model.release(),
  };
}
