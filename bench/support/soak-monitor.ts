/**
 * Loaded into a server before everything else (`node --import`): writes the delay of its event loop and its memory to
 * standard error every half second, as `soak {…}`. The delay is counted from the last SIGUSR2 on, and includes the
 * millisecond between two measurements.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  process.on('SIGUSR2', () => delay.reset());
  const timer = setInterval(() => {
    const [p50Ms, p99Ms, maxMs] = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) => ns / 1e6);
    const rssMb = process.memoryUsage.rss() / 1e6;
    process.stderr.write(`soak ${JSON.stringify({ p50Ms, p99Ms, maxMs, rssMb })}\n`);
  }, 500);
  timer.unref();
}
