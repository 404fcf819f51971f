import { parseArgs } from 'node:util';
import { type Config, readConfigFromProcess } from '../platform/config.ts';
import { PredictionError } from '../platform/errors.ts';
import { ownServer } from './running-server.ts';

/**
 * `fhirsight health`: whether the server with these settings (HOST, PORT, TLS_CERT_FILE) is ready, as it says itself at /health/ready.
 * It opens no data and takes no lock, so that it can be asked every few seconds. @returns 0 where it is ready, else 1
 */
export async function healthCommand(args: readonly string[]): Promise<number> {
  parseArgs({ args: [...args], options: {} });
  const config = readConfigFromProcess();
  const { url, fetch } = await ownServer(config, listensOn(config));
  const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(longestAnswerMs) });
  process.stdout.write(`${await response.text()}\n`);
  return response.ok ? 0 : 1;
}

const longestAnswerMs = 10_000;

function listensOn({ host, port, tlsCertFile }: Config): string {
  if (port === 0)
    throw new PredictionError(
      'CONFIG_INVALID',
      'health needs the PORT that the server listens on; 0 takes a free one.',
    );
  return `${tlsCertFile === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
