import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Parameters, Resource } from '@medplum/fhirtypes';
import type { GoldenFile } from '../../src/model-catalog/golden-case-schema.ts';
import type { ReloadReport } from '../../src/wire-reload.ts';
import { probabilityOf, writeConstantVersion } from './constant-version.ts';
import { startFhirsightProcess } from './fhirsight-process.ts';
import type { ModelFolder } from './model-folder.ts';
import { scorablePatient } from './scorable-patient.ts';
import { createTestDataDir } from './test-data-dir.ts';

export interface ReloadsOptions {
  readonly rate: number;
  /** How long calls are sent before the first reload, and after the last. */
  readonly steadySeconds: number;
  readonly reloads: number;
  /** Every so-manieth reload finds a broken folder. */
  readonly brokenEvery: number;
  /** From one reload to the next. */
  readonly everyMs: number;
}

interface Answer {
  readonly sentAt: number;
  readonly ms: number;
  readonly status: number;
  readonly text?: string;
  readonly device?: string;
  /** `id|version|digest` */
  readonly model?: string;
  readonly method?: string;
  readonly percents?: readonly number[];
}

export interface ReloadsFound {
  readonly calls: number;
  /** Answers other than a result, in words. */
  readonly failed: readonly string[];
  /** Results whose score, Device, digest and words are not of one version. */
  readonly mixed: readonly string[];
  /** Versions that answered, in the order of their first answer. */
  readonly versions: readonly string[];
  readonly reloads: {
    readonly good: number;
    readonly broken: number;
    /** What was broken of each, in turn; each was refused for that. */
    readonly refusedFor: readonly string[];
    readonly slowestMs: number;
  };
  readonly p99Ms: { readonly steady: number; readonly reloading: number };
  readonly slowestMs: { readonly steady: number; readonly reloading: number };
  /** After a fifth of the reloads, and at the end. */
  readonly rssMb: { readonly early: number; readonly end: number };
}

const model = 'prevent-base';

/** Sends `$predict` at a constant rate while versions are loaded, promoted and removed, some of them broken, and looks at every answer. */
export async function reloadsUnderLoad(options: ReloadsOptions): Promise<ReloadsFound> {
  const { rate, steadySeconds, reloads, brokenEvery, everyMs } = options;
  const modelsDir = await mkdtemp(path.join(tmpdir(), 'fhirsight-reloads-'));
  const data = await createTestDataDir();
  await writeConstantVersion(modelsDir, '1.0.0');
  const server = await startFhirsightProcess({ ...data.settings, MODELS_DIR: modelsDir, LOG_LEVEL: 'error' });
  const pid = server.child.pid ?? 0;
  try {
    const token = (await readFile(path.join(String(data.settings.DATA_DIR), 'server.admin-token'), 'utf8')).trim();
    const admin = async (place: string, body: object): Promise<Record<string, unknown>> => {
      const response = await fetch(`${server.url}/admin/models/${place}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      if (!response.ok) throw new Error(`${place}: ${JSON.stringify(answer)}`);
      return answer;
    };
    const bodies = path.join(modelsDir, 'bodies.json');
    await writeFile(bodies, JSON.stringify([JSON.stringify(predictBody())]));
    const load = startLoad(`${server.fhir}/Patient/$predict`, bodies, rate);
    await wait(1_000); // connections are made, and the server compiles what it needs
    const steadyFrom = Date.now();
    await wait(steadySeconds * 1_000);
    const reloadingFrom = Date.now();
    const found = { good: 0, broken: 0, refusedFor: [] as string[], slowestMs: 0 };
    let early = rssMb(pid);
    const digests = new Map<string, string>();
    const noteDigests = async (): Promise<void> => {
      const { models } = (await (await fetch(`${server.url}/models`)).json()) as {
        models: { version: string; digest: string }[];
      };
      for (const { version, digest } of models) digests.set(version, digest);
    };
    await noteDigests();
    const served = ['1.0.0'];
    for (let reload = 1; reload <= reloads; reload++) {
      const next = Date.now() + everyMs;
      const isBroken = reload % brokenEvery === 0;
      const version = `1.${reload}.0`;
      const folder = await writeConstantVersion(modelsDir, version);
      const breaking = isBroken ? breaks[found.broken % breaks.length] : undefined;
      await breaking?.harm(folder);
      const { loaded, refused, reloadMs } = await admin('reload', {});
      found.slowestMs = Math.max(found.slowestMs, Number(reloadMs));
      if (breaking !== undefined) {
        const [{ folder: name, reason } = { folder: 'none', reason: '' }] = refused as ReloadReport['refused'];
        if (name !== `${model}/${version}` || !breaking.told.test(reason))
          throw new Error(`${version} is broken at its ${breaking.what}, and refused was ${name}: ${reason}`);
        found.refusedFor.push(breaking.what);
        await rm(folder.dir, { recursive: true });
        found.broken++;
      } else {
        if (!(loaded as string[]).includes(`${model}@${version}`))
          throw new Error(`${version} was not loaded: ${JSON.stringify(refused)}`);
        await noteDigests();
        await admin(`${model}/promote`, { version, because: 'The next one.' });
        served.push(version);
        const [old] = served.length > 2 ? served.splice(0, 1) : [];
        if (old !== undefined) await rm(path.join(modelsDir, model, old), { recursive: true });
        found.good++;
      }
      if (reload === Math.ceil(reloads / 5)) early = rssMb(pid);
      await wait(Math.max(0, next - Date.now()));
    }
    const reloadingTo = Date.now();
    await wait(steadySeconds * 1_000);
    const end = rssMb(pid);
    const answers = await load.end();
    const steady = answers.filter(
      ({ sentAt }) => (sentAt >= steadyFrom && sentAt < reloadingFrom) || sentAt > reloadingTo,
    );
    const reloading = answers.filter(({ sentAt }) => sentAt >= reloadingFrom && sentAt <= reloadingTo);
    return {
      calls: answers.length,
      failed: answers.flatMap(({ status, text }) => (status === 200 ? [] : [`${status} ${text}`])),
      mixed: answers
        .filter((answer) => answer.status === 200 && !isOfOne(answer, digests))
        .map((each) => JSON.stringify(each)),
      versions: [
        ...new Set(
          answers
            .toSorted((one, other) => one.sentAt - other.sentAt)
            .map(({ model: named }) => named?.split('|')[1] ?? ''),
        ),
      ],
      reloads: found,
      p99Ms: { steady: quantile(steady, 0.99), reloading: quantile(reloading, 0.99) },
      slowestMs: { steady: quantile(steady, 1), reloading: quantile(reloading, 1) },
      rssMb: { early, end },
    };
  } finally {
    await server.stop('SIGTERM');
    await data.remove();
    await rm(modelsDir, { recursive: true, force: true });
  }
}

/** What is broken in turn: each passes all that is tested before it. */
const breaks: readonly {
  readonly what: string;
  readonly harm: (folder: ModelFolder) => Promise<void>;
  /** What the refusal says of it. */
  readonly told: RegExp;
}[] = [
  { what: 'checksum', harm: (folder) => folder.write('feature-map.json', 'broken'), told: /wrong checksum/ },
  {
    what: 'graph',
    async harm(folder) {
      await folder.write('model.onnx', 'broken');
      await folder.seal();
    },
    told: /^(?!.*(checksum|golden case)).*model\.onnx/s,
  },
  {
    what: 'golden case',
    async harm(folder) {
      for (const file of await readdir(path.join(folder.dir, 'golden'))) {
        await folder.edit(`golden/${file}`, ({ cases }: GoldenFile) => {
          for (const { expected } of cases)
            for (const [outcome, value] of Object.entries(expected)) expected[outcome] = Number(value) + 0.01;
        });
      }
      await folder.seal();
    },
    told: /golden case .* gives/s,
  },
];

function isOfOne(
  { device = '', model: named = '', method, percents = [] }: Answer,
  digests: ReadonlyMap<string, string>,
): boolean {
  const [id, version = '', digest = ''] = named.split('|');
  return (
    id === model &&
    digest !== '' &&
    digests.get(version) === digest &&
    device.startsWith(`model-${id}-${version}-${digest.slice(0, 12)}`) &&
    method === `${id} ${version}` &&
    percents.length > 0 &&
    percents.every((percent) => Math.abs(percent / 100 - probabilityOf(version)) < 1e-8)
  );
}

function startLoad(url: string, bodies: string, rate: number): { end(): Promise<Answer[]> } {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'steady-load.ts'), url, bodies, String(rate)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8');
  });
  return {
    async end() {
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
      return printed
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Answer);
    },
  };
}

function predictBody(): Parameters {
  const resources: Resource[] = scorablePatient('one');
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'model', valueString: model },
      { name: 'subject', valueString: 'Patient/one' },
      { name: 'asOf', valueDateTime: '2026-03-01T12:00:00Z' },
      { name: 'useServerData', valueBoolean: false },
      { name: 'explain', valueBoolean: false },
      ...resources.map((resource) => ({ name: 'resource', resource })),
    ],
  };
}

function quantile(answers: readonly Answer[], share: number): number {
  const sorted = answers.map(({ ms }) => ms).sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function rssMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_000;
}
