import { deliverEachSingly } from './deliver-singly.ts';
import type { Sink } from './delivery.ts';
import { openSinkConnection, type SinkParts } from './fhir-sink-server.ts';
import type { CreatesSink } from './sink-schema.ts';

/** A FHIR server that takes single creates: the result itself, or its twin as Observations or a DocumentReference. */
export function createFhirCreatesSink(settings: CreatesSink, parts: SinkParts): Sink {
  const connection = openSinkConnection(settings, parts);
  return {
    name: settings.name,
    at: settings.url,
    async deliver(_attempt, deliveries, stop, stopping) {
      const outcomes = await deliverEachSingly(connection.server(stop), deliveries, stopping);
      const retryAfterMs = connection.takeRetryAfterMs();
      return { outcomes, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    },
    close: () => connection.close(),
  };
}
