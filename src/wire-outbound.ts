import type { Config } from './platform/config.ts';
import type { LogEvent } from './platform/events.ts';
import type { AllowedServer } from './platform/outbound/allowed-origins.ts';
import { createOutbound, type Outbound } from './platform/outbound/create-outbound.ts';
import type { SinkSettings } from './write-back/sinks/sink-schema.ts';

/**
 * The way out to the servers that the settings name, and to no others.
 * @param further servers that a file of the settings names: keys and introspection of issuers, for one
 */
export function openOutbound(
  config: Pick<Config, 'fhirBaseUrl' | 'fhirTokenUrl' | 'cdsFhirServers' | 'outboundPrivateHosts'>,
  { sinks, further = [] }: { readonly sinks: readonly SinkSettings[]; readonly further?: readonly AllowedServer[] },
  event: (event: LogEvent) => void,
): Outbound {
  const { fhirBaseUrl, fhirTokenUrl, cdsFhirServers, outboundPrivateHosts } = config;
  return createOutbound({
    allowed: [
      ...(fhirBaseUrl === undefined ? [] : [configured(fhirBaseUrl, 'FHIR_BASE_URL')]),
      ...(fhirTokenUrl === undefined ? [] : [configured(fhirTokenUrl, 'FHIR_TOKEN_URL')]),
      ...sinks.flatMap((sink) => ('url' in sink ? [configured(sink.url, 'SINKS_FILE')] : [])),
      ...cdsFhirServers.map((url) => ({ url, purpose: 'CDS_FHIR_SERVERS', reach: 'public' as const })),
      ...further,
    ],
    privateHosts: outboundPrivateHosts,
    event,
  });
}

/** No request of anybody chooses when such a server is asked, nor what for: it may be anywhere in the house. */
function configured(url: string, purpose: string): AllowedServer {
  return { url, purpose, reach: 'private' };
}
