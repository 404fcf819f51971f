import { createTreeShapWorker } from '../../explanation/trees/tree-shap-worker.ts';
import { readDeclaredServer } from '../../fhir/client/read-declared-server.ts';
import { createResourceValidator } from '../../fhir/validate-resource.ts';
import { readImagingFile } from '../../imaging/read-imaging-file.ts';
import { createOnnxEngine } from '../../inference/onnx-engine.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Config } from '../../platform/config.ts';
import { createLogger } from '../../platform/logger.ts';
import type { CohortSource } from '../../runs/cohort-source.ts';
import { openOwnClient } from '../../wire-fhir-client.ts';
import { imageServers, openImageReading, openImaging } from '../../wire-imaging.ts';
import { loadModels } from '../../wire-models.ts';
import { openOutbound } from '../../wire-outbound.ts';
import { openRecordServer } from '../../wire-record-server.ts';
import { httpCohorts, runSliceSize, storeCohorts } from '../../wire-runs.ts';
import { serveModels } from '../../wire-served-models.ts';
import { ownCredentials, type RunningServer, runningServer } from '../running-server.ts';
import { withHouse } from '../with-house.ts';
import { draftModel } from './draft-model.ts';
import type { MatrixModel, RowParts } from './matrix-rows.ts';

/** What a matrix is made with. */
export interface Extraction {
  readonly parts: RowParts;
  readonly cohorts: CohortSource;
  /** The model of a folder that holds no artefact yet; see `draftModel`. */
  readonly draft: (folder: string) => Promise<MatrixModel>;
}

/**
 * Opens what `fhirsight serve` would read from, and nothing that it would write to: the server at FHIR_BASE_URL; else the own
 * store, through the running server that holds it, or opened here. Closes it whatever comes of the work.
 */
export async function withExtraction<T>(config: Config, work: (extraction: Extraction) => Promise<T>): Promise<T> {
  if (config.fhirBaseUrl !== undefined) return await overHttp(config, { base: config.fhirBaseUrl }, work);
  const server = await runningServer(config);
  if (server !== undefined) return await overHttp(config, { base: `${server.url}/fhir/R4`, server }, work);
  return await withHouse(config, async (house) => {
    const parts = {
      ...house.prediction,
      sliceSize: runSliceSize[house.database.kind],
      rowTimeoutMs: config.predictTimeoutMs,
    };
    const draft = (folder: string): Promise<MatrixModel> => draftModel(folder, config, parts.findModel);
    return await work({ parts, cohorts: storeCohorts(config, house), draft });
  });
}

/** @param server our own, where it is the one that is read: references to its resources stay relative */
async function overHttp<T>(
  config: Config,
  { base, server: running }: { readonly base: string; readonly server?: RunningServer },
  work: (extraction: Extraction) => Promise<T>,
): Promise<T> {
  const logger = createLogger({ level: 'warn' });
  const own = running !== undefined;
  const open: (() => Promise<void>)[] = [];
  try {
    const engine = createOnnxEngine({ triesApart: true });
    open.push(() => engine.close());
    // What a site says of its server is not about our own.
    const declared = own ? {} : await readDeclaredServer(config.fhirServerProfile);
    const logged = { logger, clock: systemClock };
    const loaded = await loadModels(config, engine, logged, createTreeShapWorker(), declared);
    const models = serveModels(loaded);
    const validator = createResourceValidator();
    const images = await readImagingFile(config.imagingFile);
    const further = [...(own ? [running.allowed] : []), ...imageServers(images)];
    const outbound = openOutbound(config, { sinks: [], further }, (event) => logger.event(event));
    open.push(() => outbound.close());
    const imaging = openImageReading(
      openImaging(images, outbound, (close) => open.push(close)),
      logged,
      (close) => open.push(close),
    );
    const contents = () => loaded.contents;
    const credentials = own
      ? await ownCredentials(config)
      : (await openOwnClient(config, { outbound, clock: systemClock, contents }))?.credentials;
    const server = { outbound, credentials };
    const cohorts = httpCohorts(config, base, server, (close) => open.push(close));
    const read = openRecordServer(config, base, { validator, declared, ...server }, (close) => open.push(close));
    const source = own
      ? { ...read, own, base: `${config.publicBaseUrl ?? base.replace(/\/fhir\/R4$/, '')}/fhir/R4` }
      : read;
    const parts: RowParts = {
      tenant: config.tenant,
      source,
      subjectBase: source.base,
      openServer: () => undefined,
      validate: (resource, path) => validator.validate(resource, path),
      timeZone: config.siteTimeZone,
      findModel: models.find,
      clock: systemClock,
      sliceSize: runSliceSize.pglite,
      rowTimeoutMs: config.predictTimeoutMs,
      event: (event) => logger.event(event),
      ...(imaging && { imaging }),
    };
    const draft = (folder: string): Promise<MatrixModel> => draftModel(folder, config, parts.findModel);
    return await work({ parts, cohorts, draft });
  } finally {
    for (let close = open.pop(); close !== undefined; close = open.pop()) await close();
  }
}
