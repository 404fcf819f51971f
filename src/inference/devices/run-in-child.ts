import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeviceRunFailure, DeviceRunResult, RunOnDevice } from './device-run.ts';
import type { DeviceRunAnswer, DeviceRunTask } from './device-run-entry.ts';

const longestComplaint = 8_000;

/**
 * Opens and runs each graph in a child process of its own, which is ended with its answer, at the limit, or when `signal` is
 * aborted: libraries of devices abort, hang and crash as they are unloaded.
 * @param environment all that the child sees of the environment
 */
export function createChildRunner(
  environment: Readonly<Record<string, string>>,
): (signal?: AbortSignal) => RunOnDevice {
  return (signal) => async (request, limitMs) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'fhirsight-device-'));
    try {
      return await runOnce({ ...request, folder }, limitMs, environment, signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

async function runOnce(
  task: DeviceRunTask,
  limitMs: number,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<DeviceRunResult> {
  const child = fork(entryFile(), [], {
    env: environment,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  let written = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    written = (written + chunk.toString('utf8')).slice(-longestComplaint);
  });
  const failed = (kind: DeviceRunFailure['kind'], message: string): DeviceRunResult => ({
    failure: { kind, message, written },
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  let timer: NodeJS.Timeout | undefined;
  const stop = new AbortController();
  try {
    return await Promise.race([
      answerOf(child, failed),
      new Promise<DeviceRunResult>((resolve) => {
        timer = setTimeout(() => resolve(failed('timed-out', `no answer within ${limitMs} ms`)), limitMs);
        const stopped = (): void => resolve(failed('not-started', 'the server is closing'));
        if (signal?.aborted === true) stopped();
        signal?.addEventListener('abort', stopped, { signal: stop.signal });
        child.send(task, () => undefined); // where it cannot be told, it has ended, and that is the answer
      }),
    ]);
  } finally {
    clearTimeout(timer);
    stop.abort();
    child.kill('SIGKILL');
    await ended;
  }
}

/** What the child says; or how it ended, where it said nothing. */
function answerOf(
  child: ChildProcess,
  failed: (kind: DeviceRunFailure['kind'], message: string) => DeviceRunResult,
): Promise<DeviceRunResult> {
  return new Promise((resolve) => {
    let refused: (() => DeviceRunResult) | undefined;
    child.once('message', (message) => {
      const answer = message as DeviceRunAnswer;
      if ('outputs' in answer) return resolve(answer);
      refused = () =>
        'refused' in answer
          ? failed('refused', answer.refused)
          : failed('not-compiled', `this build of ONNX Runtime has only ${answer.compiled.join(', ')}`);
      // What it wrote about it may still be on its way; `close` comes after that.
      child.kill('SIGKILL');
    });
    child.once('error', (error) => resolve(failed('not-started', error.message)));
    child.once('close', (code, signal) => resolve(refused?.() ?? failed('crashed', signal ?? `exit code ${code}`)));
  });
}

/** The child's file beside this one: TypeScript as it is, or JavaScript where it was built. */
function entryFile(): string {
  return fileURLToPath(new URL(`./device-run-entry${path.extname(import.meta.url)}`, import.meta.url));
}
