import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { root } from './markdown-blocks.ts';

const program = ['/usr/sbin/Orthanc', '/usr/bin/Orthanc'];
const plugin = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';
const startAttempts = 300;

export interface Orthanc {
  /** Base of its DICOMweb services. */
  readonly base: string;
  readonly user: string;
  readonly password: string;
  /** Its own interface, which is not DICOMweb: `GET /instances`. */
  ask(method: 'GET' | 'DELETE' | 'POST', path: string, body?: Uint8Array<ArrayBuffer>): Promise<Response>;
  /** Removes everything that is stored in it. */
  empty(): Promise<void>;
  stop(): Promise<void>;
}

interface Declared {
  readonly RegisteredUsers: Readonly<Record<string, string>>;
}

/**
 * Starts an Orthanc of its own, empty, from Debian's packages: a plain process on a free port of loopback, as docker/orthanc/orthanc.json
 * declares it, with all that it writes in a folder of its own. Throws where the packages are not there: a missing service fails the suite.
 */
export async function startOrthanc(): Promise<Orthanc> {
  const executable = program.find((each) => existsSync(each));
  if (executable === undefined || !existsSync(plugin)) {
    throw new Error(
      'Orthanc with its DICOMweb plugin is not installed, and the service suite does not run without it: ' +
        'apt-get install --no-install-recommends orthanc orthanc-dicomweb',
    );
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-orthanc-'));
  const port = await freePort();
  const password = 'of the test: ä';
  const declared = JSON.parse(readFileSync(path.join(root, 'docker/orthanc/orthanc.json'), 'utf8')) as Declared;
  const [user = ''] = Object.keys(declared.RegisteredUsers);
  const settings = {
    ...declared,
    StorageDirectory: path.join(folder, 'storage'),
    IndexDirectory: path.join(folder, 'index'),
    HttpPort: port,
    RemoteAccessAllowed: false,
    OverwriteInstances: true,
    Plugins: [plugin],
  };
  const file = path.join(folder, 'orthanc.json');
  writeFileSync(file, JSON.stringify(settings));
  const server = spawn(executable, [file], {
    stdio: 'ignore',
    cwd: folder,
    env: { ...process.env, ORTHANC_PASSWORD: password },
  });
  const ended = once(server, 'exit');
  const origin = `http://127.0.0.1:${port}`;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const ask: Orthanc['ask'] = (method, at, body) =>
    fetch(`${origin}${at}`, { method, headers: { authorization }, ...(body === undefined ? {} : { body }) });
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; !(await answers(ask)); attempt++) {
    if (attempt === startAttempts || server.exitCode !== null) {
      await stop();
      throw new Error('Orthanc did not start');
    }
    await wait(100);
  }
  return {
    base: `${origin}/dicom-web`,
    user,
    password,
    ask,
    empty: async () => {
      const patients = (await (await ask('GET', '/patients')).json()) as readonly string[];
      for (const id of patients) await ask('DELETE', `/patients/${id}`);
    },
    stop,
  };
}

async function answers(ask: Orthanc['ask']): Promise<boolean> {
  try {
    return (await ask('GET', '/system')).ok;
  } catch {
    return false; // nobody listens yet
  }
}
