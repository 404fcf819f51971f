interface Version {
  readonly id: string;
  readonly version: string;
}

/**
 * Where the report about a model version is served.
 * @param serverUrl URL of the server, without a trailing slash
 */
export function versionUrl(serverUrl: string, { id, version }: Version): string {
  return `${serverUrl}/models/${id}/versions/${version}`;
}

/** Where its card is served. */
export function cardUrl(serverUrl: string, version: Version): string {
  return `${versionUrl(serverUrl, version)}/card`;
}
