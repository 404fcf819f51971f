import { readFile } from 'node:fs/promises';
import type { Resource } from '@medplum/fhirtypes';
import { scorablePatient } from '../../test/support/scorable-patient.ts';
import { type StartedEhr, startEhr } from './ehr.ts';
import { startOwnServer } from './own-server.ts';
import type { Options } from './read-options.ts';
import { makeSigner, type Signer, signCdsToken } from './sign.ts';
import { type Answer, type CallOptions, type DiscoveredService, type Site, send, wholeScope } from './site.ts';

/** The patient of the driver: synthetic, and told so by its id. */
const patient = 'conformance-synthetic';

/** A server to be driven, and how to end. */
export interface OpenSite {
  readonly site: Site;
  close(): Promise<void>;
}

/** The server that the options name, or this one, started. */
export async function openSite(options: Options): Promise<OpenSite> {
  const record = scorablePatient(patient);
  if (options.base === undefined) return openOwn(record, options.model);
  const { base: url, fhir = `${options.base}/fhir/R4`, token, origin, allowWrites, model, ehrPort } = options;
  const signer = await signerOf(options);
  const ehr = ehrPort === undefined ? undefined : await startEhr(record, { keys: [] }, ehrPort);
  const site = await described({
    url,
    fhir,
    model,
    record,
    mayWrite: allowWrites,
    ...(ehr === undefined ? {} : { ehr }),
    ...(origin === undefined ? {} : { origin }),
    ...(signer === undefined ? {} : { cdsToken: (audience, changes) => signCdsToken(signer, audience, changes) }),
    authorize: async () => token,
  });
  return { site, close: async () => await ehr?.close() };
}

async function openOwn(record: readonly Resource[], model: string): Promise<OpenSite> {
  const { server, ehr, cdsToken, accessToken, origin, close } = await startOwnServer(record);
  const { url, fhir } = server;
  const parts = { url, fhir, model, record, mayWrite: true, ehr, origin, cdsToken, accessToken };
  try {
    return { site: await described({ ...parts, authorize: accessToken }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Parts = Omit<Site, 'services' | 'patient' | 'cds' | 'call'> & {
  readonly ehr?: StartedEhr;
  /** The access token for calls over FHIR; undefined: none is sent. */
  readonly authorize: (scope: string) => Promise<string | undefined>;
};

async function described({ authorize, ...parts }: Parts): Promise<Site> {
  const { url, fhir, record, mayWrite, cdsToken } = parts;
  const cds = async (path: string, options: CallOptions = {}): Promise<Answer> => {
    const address = `${url}/cds-services${path}`;
    const token = cdsToken === undefined ? undefined : `Bearer ${await cdsToken(address)}`;
    return send(address, framed(options, token, 'application/json'));
  };
  const call = async (path: string, options: CallOptions = {}, scope = wholeScope): Promise<Answer> => {
    const token = options.authorization === undefined ? await authorize(scope) : undefined;
    const framedOptions = framed(options, token === undefined ? undefined : `Bearer ${token}`, 'application/fhir+json');
    return send(path === '' ? fhir : `${fhir}/${path}`, framedOptions);
  };
  if (mayWrite) await storeRecord(record, call);
  const { status, json, text } = await cds('');
  if (status !== 200) throw new Error(`${url}/cds-services answers ${status}: ${text}`);
  const { services } = json as { services: readonly DiscoveredService[] };
  return { ...parts, patient, services, cds, call };
}

function framed(options: CallOptions, token: string | undefined, mediaType: string): CallOptions {
  const authorization = options.authorization ?? token;
  return {
    ...options,
    headers: {
      ...(options.body === undefined ? {} : { 'Content-Type': mediaType }),
      ...(authorization === undefined || authorization === 'none' ? {} : { Authorization: authorization }),
      ...options.headers,
    },
  };
}

async function storeRecord(record: readonly Resource[], call: Site['call']): Promise<void> {
  const entry = record.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const { status, text } = await call('', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
  if (status !== 200) throw new Error(`the synthetic record is not taken: ${status} ${text}`);
}

async function signerOf({ cdsKey, cdsIssuer }: Options): Promise<Signer | undefined> {
  if (cdsKey === undefined || cdsIssuer === undefined) return undefined;
  return makeSigner(cdsIssuer, JSON.parse(await readFile(cdsKey, 'utf8')));
}
