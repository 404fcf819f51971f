import { spawn } from 'node:child_process';
import { largeOnes, partsInTurns } from '../copy-in-turns.ts';
import { entryFile } from './entry-file.ts';
import type { SessionAnswer, SessionChannel, SessionListener, SessionMessage } from './session-messages.ts';

export interface ProcessLimits {
  /** Memory that the process may fill, in megabytes; absent: no limit, as GPU drivers map far more than they fill. */
  readonly memoryMb?: number;
  /** All that it sees of the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

const longestComplaint = 2_000;

/**
 * A child process for sessions: one that crashes, fills its memory or hangs harms nobody else, and can be killed at any
 * time. Where there is a POSIX shell the memory is limited by `ulimit -d`, so that what asks for too much gets an error.
 */
export function openProcess(listener: SessionListener, { memoryMb, environment }: ProcessLimits): SessionChannel {
  const command = [process.execPath, entryFile('process-entry')];
  const limited = memoryMb !== undefined && process.platform !== 'win32';
  const [file = process.execPath, ...args] = limited
    ? ['/bin/sh', '-c', `ulimit -d ${memoryMb * 1024}; exec "$@"`, 'sh', ...command]
    : command;
  const child = spawn(file, args, {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString('utf8')).slice(-longestComplaint);
  });
  let told = false;
  const gone = (reason: string): void => {
    if (told) return;
    told = true;
    listener.gone(reason);
  };
  const ended = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      gone(`${signal === null ? `ended with ${code}` : `was ended by ${signal}`}${lastWords(complaint)}`);
      resolve();
    });
    child.on('error', (error) => {
      if (child.pid !== undefined) return; // it could not be told or ended; 'close' says how it went
      gone(`could not be started: ${error.message}`);
      resolve();
    });
  });
  child.on('message', (answer) => {
    if (!told) listener.answer(answer as SessionAnswer);
  });
  /** A message to a process that is gone is lost, and `gone` has said so. */
  const send = (message: object | string): void => {
    if (child.connected) child.send(message, () => undefined);
  };
  /** What is large goes in parts, each when the one before is on its way: a message is written as a whole, at once. */
  const sendRun = async (message: Extract<SessionMessage, { ask: 'run' }>): Promise<void> => {
    const feeds = new Map(message.feeds);
    for (const [feed, tensor] of largeOnes(message.feeds)) {
      const { length } = tensor.data;
      for await (const { part, at } of partsInTurns(tensor.data)) {
        if (!child.connected) return;
        const piece: SessionMessage = { id: message.id, ask: 'keep', feed, length, at, part: part.slice() };
        await new Promise<void>((resolve) => child.send(piece, () => resolve()));
      }
      feeds.set(feed, { ...tensor, data: tensor.data.subarray(0, 0) });
    }
    send({ ...message, feeds });
  };
  return {
    name: `process ${child.pid ?? '(not started)'}`,
    post: (message) =>
      message.ask === 'run' && largeOnes(message.feeds).length > 0 ? sendRun(message) : send(message),
    end() {
      send('end');
      return ended;
    },
    abandon() {
      gone('was given up');
      child.kill('SIGKILL');
      return ended;
    },
  };
}

/** The last line that it wrote about itself, which names the fault where a library ended it. */
function lastWords(complaint: string): string {
  const line = complaint
    .split('\n')
    .map((text) => text.trim())
    .filter((text) => text !== '' && !text.startsWith('at '))
    .at(-1);
  return line === undefined ? '' : ` (${line.slice(0, 200)})`;
}
