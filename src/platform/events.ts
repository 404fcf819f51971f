import type { RunEvent } from './run-events.ts';

/**
 * Everything the server ever logs: past-tense names, numbers with their unit in the key, ids that are ours.
 * Never a name, a birth date, a feature value, a token, a body or a query string: no event has a field for one.
 */
export type LogEvent =
  | { readonly name: 'server.started'; readonly url: string; readonly startMs: number; readonly version: string }
  | { readonly name: 'server.stopped'; readonly uptimeMs: number }
  | { readonly name: 'config.read'; readonly settings: Readonly<Record<string, unknown>> }
  | { readonly name: 'database.opened'; readonly kind: 'pglite' | 'postgresql'; readonly openMs: number }
  | { readonly name: 'database.migrated'; readonly applied: readonly string[]; readonly migrateMs: number }
  /** Studies that an earlier release stored are found by when they began and by their modality. */
  | { readonly name: 'store.studies-indexed'; readonly studies: number }
  | { readonly name: 'database.connection-lost'; readonly kind: 'pglite' | 'postgresql'; readonly error: LoggedError }
  | { readonly name: 'database.stopped-unexpectedly'; readonly exitCode: number }
  | { readonly name: 'database.close-timed-out'; readonly waitedMs: number }
  | { readonly name: 'database.statistics-failed'; readonly error: LoggedError }
  | { readonly name: 'database.closed'; readonly kind: 'pglite' | 'postgresql' }
  | { readonly name: 'data-dir.locked'; readonly dataDir: string }
  | { readonly name: 'data-dir.lock-taken-over'; readonly dataDir: string; readonly previousPid: number }
  | { readonly name: 'sample.load-started'; readonly patients: number }
  | { readonly name: 'sample.loaded'; readonly patients: number; readonly resources: number; readonly loadMs: number }
  | { readonly name: 'model.loaded'; readonly model: string; readonly digest: string; readonly loadMs: number }
  | {
      readonly name: 'device.probed';
      readonly provider: 'cuda' | 'tensorrt' | 'webgpu';
      readonly works: boolean;
      readonly probeMs: number;
      /** Why it does not work. */
      readonly reason?: string;
    }
  | {
      /** A GPU was preferred for the model, and the CPU runs it. */
      readonly name: 'model.device-fallback';
      readonly model: string;
      readonly reason: string;
    }
  | {
      readonly name: 'site.read';
      readonly file: string;
      readonly site: string;
      readonly version: string;
      /** Concepts that no loaded model reads. */
      readonly unread: readonly string[];
    }
  | {
      readonly name: 'model.engine-lost';
      readonly model: string;
      /** Where it ran. */
      readonly place: string;
      readonly reason: string;
    }
  | {
      /** A record was added to `version_records`, which says who asked and why. */
      readonly name: 'model.state-changed';
      readonly action: string;
      /** The model, or its version. */
      readonly model: string;
      readonly digest?: string;
      readonly service?: string;
      readonly way: 'start' | 'command-line' | 'http';
    }
  | {
      /** At start or after a reload: calls that name no version of the model are refused. */
      readonly name: 'model.without-default';
      readonly model: string;
      readonly reason: string;
    }
  | {
      /**
       * At start: versions (`id@version`) whose digest is another than when they were promoted, or made a shadow. They are not, until
       * each is promoted, or made a shadow, again.
       */
      readonly name: 'models.changed-since-promoted';
      readonly defaults: readonly string[];
      readonly shadows: readonly string[];
    }
  | { readonly name: 'version-states.unknown'; readonly error: LoggedError }
  | {
      readonly name: 'models.reloaded';
      readonly loaded: readonly string[];
      readonly kept: number;
      readonly removed: readonly string[];
      readonly refused: number;
      readonly reloadMs: number;
    }
  | { readonly name: 'model.released'; readonly model: string }
  | {
      /** What a shadow was not asked, because calls that somebody waits for come first. */
      readonly name: 'shadow.dropped';
      readonly model: string;
      readonly dropped: number;
    }
  | {
      /** The model reads images, and no IMAGING_FILE is set: it abstains. */
      readonly name: 'model.images-unconfigured';
      readonly model: string;
    }
  | { readonly name: 'model.refused'; readonly folder: string; readonly error: LoggedError }
  | {
      readonly name: 'request.finished';
      readonly method: string;
      /** The route's pattern (`/fhir/R4/:type/:id`), never the path itself: paths hold ids and queries. */
      readonly route: string;
      readonly status: number;
      readonly durationMs: number;
      readonly requestBytes: number;
      readonly responseBytes: number;
    }
  | { readonly name: 'request.failed'; readonly status: number; readonly error: LoggedError }
  | {
      readonly name: 'prediction.made';
      readonly model: string;
      readonly tenant: string;
      /** The result's identifier, by which the row in `outcomes` is found. */
      readonly result: string;
      readonly predictions: number;
      readonly resourcesRead: number;
      readonly durationMs: number;
      readonly whatIf: boolean;
      /** Beside the default, and shown to nobody. */
      readonly shadow?: true;
    }
  | {
      readonly name: 'prediction.abstained';
      readonly model: string;
      readonly tenant: string;
      readonly result: string;
      /** The verdicts' codes, e.g. `not-eligible`; never the values behind them. */
      readonly verdicts: readonly string[];
      readonly durationMs: number;
      readonly shadow?: true;
    }
  | {
      readonly name: 'prediction.failed';
      /** Absent where the call named none that is known: what it named instead could be anything. */
      readonly model?: string;
      readonly tenant: string;
      readonly error: LoggedError;
    }
  | { readonly name: 'explanation.degraded'; readonly model: string; readonly error: LoggedError }
  | {
      readonly name: 'result.written';
      readonly result: string;
      /** Logical id of the stored resource. */
      readonly resourceId: string;
      /** False where it was stored before. */
      readonly created: boolean;
    }
  | { readonly name: 'result.superseded'; readonly result: string; readonly supersededBy: string }
  | {
      /** A person confirmed or rejected a report. */
      readonly name: 'report.reviewed';
      readonly result: string;
      /** Logical id of the report. */
      readonly resourceId: string;
      readonly model: string;
      readonly version: string;
      readonly verdict: 'confirmed' | 'rejected';
    }
  /** What a reviewer wrote was not kept: no VALUES_KEY_FILE or VALUES_KEY is set. */
  | { readonly name: 'report-review.words-not-kept' }
  | {
      readonly name: 'delivery.sent';
      readonly sink: string;
      readonly results: number;
      /** Superseded or deleted before their turn. */
      readonly skipped: number;
      readonly durationMs: number;
    }
  | {
      readonly name: 'delivery.failed';
      readonly sink: string;
      readonly results: number;
      /** Of the first that failed. */
      readonly reason: string;
      readonly status?: number;
      /** How long the sink is left alone; 0 where other results follow at once. */
      readonly retryInMs: number;
      readonly durationMs: number;
    }
  | {
      readonly name: 'delivery.dead';
      readonly sink: string;
      readonly results: number;
      readonly reason: string;
      readonly status?: number;
    }
  | { readonly name: 'delivery.interrupted'; readonly sink: string; readonly error: LoggedError }
  | { readonly name: 'record.unreachable'; readonly base: string; readonly error: LoggedError }
  | { readonly name: 'images.unreachable'; readonly error: LoggedError }
  | { readonly name: 'tls.renewed'; readonly notAfter: string }
  | {
      /** The certificate that was there goes on. */
      readonly name: 'tls.renewal-failed';
      readonly notAfter: string;
      readonly error: LoggedError;
    }
  | {
      /** A request of this server to another one was not sent, or its answer not taken. */
      readonly name: 'outbound.refused';
      readonly reason: 'not-listed' | 'address-not-allowed' | 'redirect' | 'too-long';
      /** Scheme, host and port; absent where no setting names the server. */
      readonly origin?: string;
      /** The setting that names it. */
      readonly purpose?: string;
    }
  | { readonly name: 'prediction-log.failed'; readonly error: LoggedError }
  | {
      /** Rows of the access log wait, and are tried again. */
      readonly name: 'access-log.failed';
      readonly waiting: number;
      readonly error: LoggedError;
    }
  | {
      /** The database does not take the row of this request, for what it holds; it is given up. */
      readonly name: 'access-log.refused';
      readonly requestId: string;
      readonly error: LoggedError;
    }
  | { readonly name: 'access-log.lost'; readonly rows: number }
  | { readonly name: 'audit-file.failed'; readonly error: LoggedError }
  /** Its place lay ahead of all transactions of the database, as after a restore: all lines are appended once more. */
  | { readonly name: 'audit-file.begun-anew' }
  | { readonly name: 'retention.pruned'; readonly table: string; readonly rows: number }
  | { readonly name: 'retention.failed'; readonly error: LoggedError }
  | {
      /** What was held about one subject was removed; the access log says whose. */
      readonly name: 'subject.forgotten';
      readonly rows: number;
    }
  | RunEvent
  | {
      /** An EHR called a service that is switched off, and was given no card. */
      readonly name: 'cds-hook.switched-off';
      readonly service: string;
      readonly model: string;
    }
  | { readonly name: 'cds-hook.earlier-unknown'; readonly service: string; readonly error: unknown }
  /** Nobody could be asked for the report of a study; the card says so. */
  | { readonly name: 'cds-hook.report-unasked'; readonly service: string; readonly error: unknown }
  /** What stands of a study could not be looked up. */
  | { readonly name: 'cds-hook.reports-unknown'; readonly service: string; readonly error: LoggedError }
  /** That a card about a study was shown could not be kept: it was not shown. */
  | { readonly name: 'cds-hook.report-untold'; readonly service: string; readonly error: LoggedError }
  | { readonly name: 'cds-hook.late'; readonly service: string; readonly deadlineMs: number }
  | {
      /** A card that said what its reader was told within the time that the manifest declares. */
      readonly name: 'cds-hook.held-back';
      readonly service: string;
      readonly model: string;
      readonly version: string;
    }
  | {
      /** Whether a card was shown before could not be told: it was shown. */
      readonly name: 'cds-hook.repeats-unknown';
      readonly service: string;
      readonly error: LoggedError;
    }
  | {
      /** What clinicians wrote was not kept: no VALUES_KEY_FILE or VALUES_KEY is set. */
      readonly name: 'cds-feedback.words-not-kept';
      readonly service: string;
      readonly words: number;
    }
  | {
      /** Texts of the database that an older release had kept in the clear. */
      readonly name: 'texts.sealed';
      readonly runs: number;
      /** Comments of clinicians and words of clients. */
      readonly words: number;
    }
  | {
      readonly name: 'cds-feedback.stored';
      readonly service: string;
      readonly feedback: number;
      /** Cards that the prediction log does not know. */
      readonly unknownCards: number;
      /** Accepted suggestions that known cards did not hold. */
      readonly unknownSuggestions: number;
    }
  | {
      /** Answers to cards that were not reported before. Model and version are unknown where the prediction log does not know the card. */
      readonly name: 'cds-feedback.counted';
      readonly service: string;
      readonly model: string;
      readonly version: string;
      readonly outcome: 'accepted' | 'overridden';
      /** Code of a reason that the service offers, `other`, or `none`. */
      readonly reason: string;
      readonly answers: number;
    }
  | {
      /** A call below /cds-services was not let in; the caller is not told why. Nothing of its token is here. */
      readonly name: 'cds-client.refused';
      readonly reason: string;
      /** As it is declared here; absent where the token names no issuer that is. */
      readonly client?: string;
    }
  | { readonly name: 'cds-client.keys-unreachable'; readonly client?: string; readonly error: LoggedError }
  | { readonly name: 'cds-replay.prune-failed'; readonly error: LoggedError }
  | { readonly name: 'overload.started'; readonly open: number }
  | { readonly name: 'overload.ended'; readonly refused: number; readonly durationMs: number }
  | { readonly name: 'request.refused' }
  /** A bearer token lets nobody in; the reason is for whoever runs the server, and is told to nobody else. */
  | { readonly name: 'token.refused'; readonly reason: string }
  | { readonly name: 'drain.started'; readonly inFlight: number; readonly timeoutMs: number }
  | { readonly name: 'drain.finished'; readonly durationMs: number; readonly abandoned: number }
  | { readonly name: 'error.unexpected'; readonly error: LoggedError };

/** Where an event carries an error, it is given as it was caught; the logger reduces it to what may be logged. */
export type LoggedError = unknown;
