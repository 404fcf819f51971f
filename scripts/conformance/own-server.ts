import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { hookNames } from '../../src/model-catalog/cds-hooks-schema.ts';
import { type FhirsightProcess, startFhirsightProcess } from '../../test/support/fhirsight-process.ts';
import { copyModel } from '../../test/support/model-folder.ts';
import { type StartedEhr, startEhr } from './ehr.ts';
import { makeSigner } from './sign.ts';
import type { Site } from './site.ts';

/** This server in a process of its own, an EHR beside it, and who is registered. */
export interface OwnServer {
  readonly server: FhirsightProcess;
  readonly ehr: StartedEhr;
  readonly origin: string;
  readonly cdsToken?: NonNullable<Site['cdsToken']>;
  readonly accessToken?: NonNullable<Site['accessToken']>;
}

/** Starts this server as a site would: the published equations PREVENT at every hook of the library. */
export async function startOwnServer(record: readonly Resource[]): Promise<OwnServer> {
  const cdsClient = await makeSigner('https://ehr.example');
  const ehr = await startEhr(record, cdsClient.published, 0);
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'fhirsight-conformance-'));
  const model = await atEveryHook();
  try {
    const server = await startFhirsightProcess({
      DATA_DIR: dataDir,
      MODELS_DIR: model.modelsDir,
      CDS_FHIR_SERVERS: ehr.base,
    });
    const stop: FhirsightProcess['stop'] = async (signal) => {
      const ended = await server.stop(signal);
      await model[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true });
      return ended;
    };
    return { server: { ...server, stop }, ehr, origin: 'https://ehr.example' };
  } catch (error) {
    await ehr.close();
    throw error;
  }
}

/** `prevent-base`, its one service offered at every hook: one id, several hooks (CDS-4). */
async function atEveryHook(): ReturnType<typeof copyModel> {
  const model = await copyModel('prevent-base');
  await model.edit('manifest.json', (manifest) => {
    const [service] = manifest.cdsHooks;
    manifest.cdsHooks = hookNames.map((hook) => ({ ...service, hook }));
  });
  return model;
}
