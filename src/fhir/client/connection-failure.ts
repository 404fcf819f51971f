import type { PredictionError } from '../../platform/errors.ts';
import { type Interaction, unreachable } from './unreachable.ts';

/** An attempt that failed, and whether the same request may be tried once more. */
export interface Failure {
  readonly error: PredictionError;
  /** Milliseconds to wait before the one repetition; absent: do not repeat. */
  readonly repeatInMs?: number;
}

const checkServer = 'Check that the server runs and that its address is right, then try again.';

/** Says in words what the network, TLS or HTTP layer reported. Never repeats what the server sent. */
export function connectionFailure(interaction: Interaction, cause: unknown): Failure {
  const code = codeOf(cause);
  const failed = (happened: string, wayOut = checkServer) => ({
    error: unreachable(interaction, happened, wayOut, { cause }),
  });
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return { ...failed('broke the connection off'), repeatInMs: 0 };
    case 'ECONNREFUSED':
      return failed('refused the connection');
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return failed('has a host name that cannot be resolved');
    case 'OUTBOUND_REFUSED':
      return failed(
        'is not asked, for its name resolves to an address of a private network or to none that may be reached',
        'If that is right, list its host in OUTBOUND_PRIVATE_HOSTS.',
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return failed('cannot be reached over the network');
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return {
        error: unreachable(interaction, 'did not accept the connection in time', checkServer, {
          code: 'timeout',
          cause,
        }),
      };
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return failed('sent a body shorter or longer than it announced');
  }
  if (/^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT|ERR_PADDING)/.test(code)) {
    return failed('sent a compressed body that cannot be unpacked');
  }
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return failed('answered something that is not HTTP');
  }
  if (/^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    return failed(
      `could not be talked to over TLS (${code})`,
      "Check that the address begins with the right scheme and that the server's certificate is valid and trusted here (NODE_EXTRA_CA_CERTS names further authorities).",
    );
  }
  return failed(`could not be talked to${code === '' ? '' : ` (${code})`}`);
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return codeOf(cause.cause);
}
