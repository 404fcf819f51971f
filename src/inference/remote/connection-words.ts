/** Says in words what the network, TLS or HTTP layer reported, as the rest of a sentence that begins with the server. */
export function connectionWords(cause: unknown): string {
  const code = codeOf(cause);
  switch (code) {
    case 'ECONNREFUSED':
      return 'refuses the connection';
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return 'broke the connection off';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'has a host name that cannot be resolved';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'cannot be reached over the network';
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'does not accept the connection';
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return 'sent a body shorter or longer than it announced';
  }
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') return 'answered something that is not HTTP';
  if (/^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    return `cannot be talked to over TLS (${code}; NODE_EXTRA_CA_CERTS names further authorities)`;
  }
  return `cannot be talked to${code === '' ? '' : ` (${code})`}`;
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return codeOf(cause.cause);
}
