/**
 * Where the card of a model version is served.
 * @param serverUrl URL of the server, without a trailing slash
 */
export function cardUrl(serverUrl: string, { id, version }: { readonly id: string; readonly version: string }): string {
  return `${serverUrl}/models/${id}/versions/${version}/card`;
}
