import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { hookNames } from '../../src/model-catalog/hook-library.ts';
import { type FhirsightProcess, startFhirsightProcess } from '../../test/support/fhirsight-process.ts';
import { copyModel } from '../../test/support/model-folder.ts';
import { type StartedEhr, startEhr } from './ehr.ts';
import { makeSigner, signAccessToken, signCdsToken } from './sign.ts';
import type { Site } from './site.ts';

/** This server in a process of its own, an EHR beside it, and who is registered. */
export interface OwnServer {
  readonly server: FhirsightProcess;
  readonly ehr: StartedEhr;
  readonly origin: string;
  readonly cdsToken: NonNullable<Site['cdsToken']>;
  readonly accessToken: NonNullable<Site['accessToken']>;
  close(): Promise<void>;
}

/** Clients that the authorization server of the driver knows; both are registered here. */
const registered = ['conformance-driver', 'another-client'] as const;

/**
 * Starts this server as a site would, with authentication: the published equations PREVENT at every hook of the library, one
 * EHR as CDS client, one authorization server.
 */
export async function startOwnServer(record: readonly Resource[]): Promise<OwnServer> {
  const origin = 'https://ehr.example';
  const cdsClient = await makeSigner(origin);
  const authorization = await makeSigner('https://authorization.example');
  const ehr = await startEhr(record, cdsClient.published, 0);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'fhirsight-conformance-'));
  const model = await atEveryHook();
  const close = async (): Promise<void> => {
    await ehr.close();
    await model[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  };
  try {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    await writeFile(path.join(folder, 'keys.json'), JSON.stringify(authorization.published));
    const access = {
      issuers: [
        {
          issuer: authorization.issuer,
          jwksFile: 'keys.json',
          tokenEndpoint: `${authorization.issuer}/token`,
          grantsOwnScopes: true,
        },
      ],
      clients: registered.map((clientId) => ({ issuer: authorization.issuer, clientId, roles: ['caller', 'auditor'] })),
      cdsClients: [{ name: 'ehr', issuer: cdsClient.issuer, jku: [ehr.keysUrl], fhirServers: [ehr.base] }],
    };
    await writeFile(path.join(folder, 'access.json'), JSON.stringify(access));
    const server = await startFhirsightProcess({
      AUTH: 'required',
      ACCESS_FILE: path.join(folder, 'access.json'),
      CORS_ORIGINS: origin,
      PORT: String(port),
      PUBLIC_BASE_URL: url,
      DATA_DIR: path.join(folder, 'data'),
      MODELS_DIR: model.modelsDir,
      CDS_FHIR_SERVERS: ehr.base,
    });
    return {
      server,
      ehr,
      origin,
      cdsToken: (audience, changes = {}) =>
        signCdsToken(cdsClient, audience, { ...changes, header: { jku: ehr.keysUrl, ...changes.header } }),
      accessToken: (scope, changes) =>
        signAccessToken(authorization, { audience: server.fhir, client: registered[0], scope }, changes),
      async close() {
        await server.stop('SIGTERM');
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A port that nobody listens on: the URL that tokens are made for has to be known before the start. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
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
