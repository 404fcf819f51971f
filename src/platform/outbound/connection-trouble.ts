/** What went wrong below HTTP, as the rest of a sentence that begins with the server, and the way out as a sentence. */
export interface ConnectionTrouble {
  readonly happened: string;
  readonly wayOut: string;
  /** Time ran out. */
  readonly timeout?: true;
  /** The server broke off: the same request may do now. */
  readonly mayRepeat?: true;
  /** The connection was never made: the server cannot have seen the request. */
  readonly neverLeft?: true;
}

const checkServer = 'Check that the server runs and that its address is right, then try again.';

/** Says in words what the network, TLS or HTTP layer reported. Never repeats what the server sent. */
export function connectionTrouble(cause: unknown): ConnectionTrouble {
  const code = codeOf(cause);
  const trouble = (happened: string, wayOut = checkServer): ConnectionTrouble => ({ happened, wayOut });
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return { ...trouble('broke the connection off'), mayRepeat: true };
    case 'ECONNREFUSED':
      return { ...trouble('refused the connection'), neverLeft: true };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { ...trouble('has a host name that cannot be resolved'), neverLeft: true };
    case 'OUTBOUND_REFUSED':
      return {
        ...trouble(
          'is not asked, for its name resolves to an address of a private network or to none that may be reached',
          'If that is right, list its host in OUTBOUND_PRIVATE_HOSTS.',
        ),
        neverLeft: true,
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { ...trouble('cannot be reached over the network'), neverLeft: true };
    case 'UND_ERR_CONNECT_TIMEOUT':
      return { ...trouble('did not accept the connection in time'), timeout: true, neverLeft: true };
    case 'ETIMEDOUT':
      return { ...trouble('did not accept the connection in time'), timeout: true };
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return trouble('sent a body shorter or longer than it announced');
  }
  if (/^(Z_|ERR_BROTLI|ERR__ERROR_FORMAT|ERR_PADDING)/.test(code)) {
    return trouble('sent a compressed body that cannot be unpacked');
  }
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return trouble('answered something that is not HTTP');
  }
  if (/^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    const happened = trouble(
      `could not be talked to over TLS (${code})`,
      "Check that the address begins with the right scheme and that the server's certificate is valid and trusted here (NODE_EXTRA_CA_CERTS names further authorities).",
    );
    return { ...happened, neverLeft: true };
  }
  return trouble(`could not be talked to${code === '' ? '' : ` (${code})`}`);
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return codeOf(cause.cause);
}
