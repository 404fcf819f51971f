import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A real fhirsight server in a process of its own, so that it can be killed. */
export interface FhirsightProcess {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly fhir: string;
  readonly child: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Sends the signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export const root = path.resolve(import.meta.dirname, '../..');

/** What a command printed and how it ended. */
export interface FinishedCommand {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Tests start the same sources again and again; what V8 made of them is kept in the temporary folder. */
const compileCache = path.join(tmpdir(), `fhirsight-test-compiled-${process.getuid?.() ?? 'user'}`);

/** Starts `fhirsight <args>`; without settings of the environment that runs the tests. */
export function spawnFhirsight(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  nodeOptions: readonly string[] = [],
): ChildProcess & { readonly stdout: NodeJS.ReadableStream; readonly stderr: NodeJS.ReadableStream } {
  return spawn(process.execPath, [...nodeOptions, path.join(root, 'src/main.ts'), ...args], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_COMPILE_CACHE: compileCache,
      PORT: '0',
      LOG_LEVEL: 'warn',
      SAMPLE_PATIENTS: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs one command to its end; one that does not end within a minute is killed. */
export async function runFhirsight(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<FinishedCommand> {
  const child = spawnFhirsight(args, env);
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    printed.stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    printed.stderr += chunk.toString('utf8');
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  return { code, signal, ...printed };
}

/** Starts `fhirsight serve` on a free port and waits until it says that it is ready. Throws with its output if it ends before. */
export async function startFhirsightProcess(
  env: Readonly<Record<string, string>>,
  options: { readonly nodeOptions?: readonly string[] } = {},
): Promise<FhirsightProcess> {
  const child = spawnFhirsight(['serve'], env, options.nodeOptions);
  let output = '';
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  let isReady = false;
  const ready = new Promise<string>((resolve) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      // A long log is not searched again for each of its lines.
      if (isReady) return;
      const url = /fhirsight is ready at (http:\/\/\S+)[\s\S]*Stop with/.exec(output)?.[1];
      if (url === undefined) return;
      isReady = true;
      resolve(url);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  const url = await Promise.race([
    ready,
    ended.then(([code, signal]) => {
      throw new Error(`fhirsight ended before it was ready (${code ?? signal}):\n${output}`);
    }),
  ]);
  return {
    url,
    fhir: `${url}/fhir/R4`,
    child,
    output: () => output,
    stop: async (signal) => {
      child.kill(signal);
      const [code, by] = await ended;
      return { code, signal: by };
    },
  };
}
