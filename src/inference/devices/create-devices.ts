import type { DevicePolicy } from '../../model-catalog/engine-report.ts';
import { PredictionError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { chooseDevice, type DeviceCandidate, type DeviceChoice } from './choose-device.ts';
import { deviceProviders } from './device-provider.ts';
import type { RunOnDevice } from './device-run.ts';
import { type ProviderProbe, probeProvider } from './probe-provider.ts';

/** The devices of this machine. */
export interface Devices {
  /** Every provider, in the order of preference. Each is probed once, at the first call. Never rejects. */
  probe(): Promise<readonly ProviderProbe[]>;
  /**
   * Where a model is run. With the policy `cpu` nothing is probed. A fallback to the CPU is logged as
   * `model.device-fallback`.
   * Throws MODEL_NOT_READY where the policy requires a GPU and none will do, SHUTTING_DOWN.
   */
  choose(candidate: DeviceCandidate, policy: DevicePolicy): Promise<DeviceChoice>;
  /** Ends what is being tried. */
  close(): Promise<void>;
}

export interface DevicesOptions {
  /** How a graph is opened and run; ends what it does when `signal` is aborted. */
  readonly run: (signal: AbortSignal) => RunOnDevice;
  readonly logger: Pick<Logger, 'event'>;
  /** How long a probe may take, in milliseconds; default 30,000: the libraries of CUDA are gigabytes. */
  readonly probeLimitMs?: number;
  /** How long a model may take to be opened and run on its samples, in milliseconds; default 300,000: TensorRT builds an engine. */
  readonly trialLimitMs?: number;
  /** A device whose work the CPU does counts as one; default false. For tests of what runs on devices. */
  readonly softwareDevices?: boolean;
}

export function createDevices(options: DevicesOptions): Devices {
  const { logger, probeLimitMs = 30_000, trialLimitMs = 300_000, softwareDevices = false } = options;
  const closing = new AbortController();
  const run = options.run(closing.signal);
  const busy = new Set<Promise<unknown>>();
  let probes: Promise<readonly ProviderProbe[]> | undefined;

  const tracked = async <T>(work: Promise<T>): Promise<T> => {
    busy.add(work);
    try {
      return await work;
    } finally {
      busy.delete(work);
    }
  };
  // One after the other: what two libraries of one device do to each other is no part of the question.
  const probeAll = async (): Promise<readonly ProviderProbe[]> => {
    const probed: ProviderProbe[] = [];
    for (const provider of deviceProviders) {
      const { works, probeMs, reason, ...probe } = await probeProvider(provider, {
        run,
        limitMs: probeLimitMs,
        softwareDevices,
      });
      const why = reason === undefined ? {} : { reason };
      probed.push({ ...probe, works, probeMs, ...why });
      if (!closing.signal.aborted) logger.event({ name: 'device.probed', provider, works, probeMs, ...why });
    }
    return probed;
  };
  const devices: Devices = {
    probe() {
      probes ??= tracked(probeAll());
      return probes;
    },
    async choose(candidate, policy) {
      if (policy === 'cpu') return { provider: 'cpu', report: { policy, provider: 'cpu' } };
      const choice = await tracked(
        devices
          .probe()
          .then((probed) => chooseDevice(candidate, policy, { probes: probed, run, limitMs: trialLimitMs })),
      ).catch((error: unknown) => {
        throw closing.signal.aborted ? closed() : error;
      });
      if (closing.signal.aborted) throw closed();
      const { fallback } = choice.report;
      if (fallback !== undefined)
        logger.event({ name: 'model.device-fallback', model: candidate.key, reason: fallback });
      return choice;
    },
    async close() {
      closing.abort();
      await Promise.allSettled(busy);
    },
  };
  return devices;
}

function closed(): PredictionError {
  return new PredictionError('SHUTTING_DOWN', 'The inference engine is closed.');
}
