import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Tensors } from '../../model-catalog/tensor.ts';
import { ort } from '../onnx-runtime.ts';
import { openOnnxSession } from '../onnx-session.ts';
import { endWithParent } from '../sessions/end-with-parent.ts';
import { countNodes } from './count-nodes.ts';
import type { DeviceRun, DeviceRunRequest } from './device-run.ts';
import { softwareDriver } from './software-driver.ts';

/** What the child process is sent, once. */
export type DeviceRunTask = DeviceRunRequest & {
  /** An empty folder for the profile. */
  readonly folder: string;
};

/** What it answers, once. */
export type DeviceRunAnswer = DeviceRun | { readonly refused: string } | { readonly compiled: readonly string[] };

/** A child process that opens one graph, runs it, answers, and is then ended by its parent. */
process.once('message', (task: DeviceRunTask) => {
  answerTo(task).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.send?.({ refused: messageOf(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
// An interrupt from a terminal reaches the whole group; the parent says when this process ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
endWithParent();

async function answerTo(task: DeviceRunTask): Promise<DeviceRunAnswer> {
  const { key, artefact, provider, feeds, wanted, folder } = task;
  const compiled = ort.listSupportedBackends().map(({ name }) => name);
  if (!compiled.includes(provider)) return { compiled };
  const session = await openOnnxSession({ key, artefact, provider, threads: 1 }, path.join(folder, 'profile'));
  const outputs: (Tensors | string)[] = [];
  let software: string | undefined;
  try {
    for (const each of feeds) outputs.push(await session.run(each, wanted).catch(messageOf));
    software = provider === 'webgpu' ? softwareDriver(await mappedFiles()) : undefined;
  } finally {
    await session.release();
  }
  const [file] = await readdir(folder);
  if (file === undefined) return { refused: 'ONNX Runtime wrote no profile' };
  const nodes = countNodes(await readFile(path.join(folder, file), 'utf8'), provider);
  return { outputs, nodes, ...(software === undefined ? {} : { software }) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The files that this process has in its memory, as Linux lists them; empty elsewhere. */
async function mappedFiles(): Promise<string> {
  return process.platform === 'linux' ? await readFile('/proc/self/maps', 'utf8') : '';
}
