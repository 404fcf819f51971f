import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { connectionLimits, limitConnections, limitedServerOptions } from '../http/connection-limits.ts';
import { createTlsServer } from '../http/tls-files.ts';
import { systemClock } from '../platform/clock.ts';
import { type Config, readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import type { LogEvent } from '../platform/events.ts';
import { createLogger, type Logger } from '../platform/logger.ts';
import { readyText } from './ready-text.ts';

/**
 * `fhirsight serve`: listens, loads the sample patients into an empty embedded store, prints what can be pasted, and
 * drains on SIGINT or SIGTERM. The exit code is 0 after a drain, also in the middle of an inference.
 */
export async function serveCommand(args: readonly string[]): Promise<number> {
  parseArgs({ args: [...args], options: {} });
  const config = readConfigFromProcess();
  const logger = createLogger({ level: config.logLevel });
  const stopped = stopSignal();
  // Only now: what is wrong with the settings is said before a server is loaded.
  const [{ createFhirsight }, { loadSamplePatientsOnce }] = await Promise.all([
    import('../index.ts'),
    import('./load-sample-patients.ts'),
  ]);
  const fhirsight = createFhirsight({ config, clock: systemClock, logger });
  const { server, renew } = await webServer(config, fhirsight.router, logger);
  const renewing = setInterval(renew, certificateCheckMs);
  let url = '';
  try {
    await fhirsight.start({
      listen: async () => {
        url = await listen(server, config.host, config.port);
        return url;
      },
      prepare: (house) => loadSamplePatientsOnce(house, config, systemClock, logger),
    });
    const samplePatients =
      config.samplePatients > 0 && config.databaseUrl === undefined && config.fhirBaseUrl === undefined;
    process.stdout.write(
      readyText(config.publicBaseUrl ?? url, {
        samplePatients,
        ...(config.fhirBaseUrl === undefined ? {} : { fhirBaseUrl: config.fhirBaseUrl }),
      }),
    );
    await stopped;
  } finally {
    clearInterval(renewing);
    const closed = closeServer(server);
    await fhirsight.close();
    server.closeAllConnections();
    await closed;
  }
  return 0;
}

/** Resolves at the first SIGINT or SIGTERM. Later ones change nothing: what is under way is finished or times out. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
}

type WebServer = Server | SecureServer;

/** How soon a renewed certificate is found. */
const certificateCheckMs = 60_000;

/** Plain HTTP, or TLS where TLS_CERT_FILE is set; `renew` looks for another certificate. */
async function webServer(
  { tlsCertFile: certFile, tlsKeyFile: keyFile }: Config,
  handler: RequestListener,
  logger: Logger,
): Promise<{ readonly server: WebServer; readonly renew: () => void }> {
  if (certFile === undefined || keyFile === undefined) {
    const server = createServer(limitedServerOptions(connectionLimits), handler);
    limitConnections(server, connectionLimits);
    return { server, renew: () => undefined };
  }
  const parts = { clock: systemClock, event: (event: LogEvent) => logger.event(event) };
  const { server, renew } = await createTlsServer({ certFile, keyFile }, handler, parts);
  return { server, renew: () => void renew() };
}

async function listen(server: WebServer, host: string, port: number): Promise<string> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new PredictionError(
      'CONFIG_INVALID',
      `HOST ${host}, PORT ${port} cannot be listened on (${code}). Stop what uses it, or set PORT to a free port.`,
      { cause },
    );
  }
  const address = server.address() as AddressInfo;
  const scheme = server instanceof SecureServer ? 'https' : 'http';
  return `${scheme}://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

/** Takes no new connections; resolves when the last one is closed. */
async function closeServer(server: WebServer): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
}
