import { randomUUID } from 'node:crypto';
import { type AdminOptions, adminRoutes } from './entrances/admin/admin-routes.ts';
import { forgetRoutes } from './entrances/admin/forget-routes.ts';
import { auditSearchParameters } from './entrances/audit/audit-query.ts';
import { auditRoutes } from './entrances/audit/audit-routes.ts';
import { cdsRoutes } from './entrances/cds-hooks/cds-routes.ts';
import { type HookService, hookServices } from './entrances/cds-hooks/hook-service.ts';
import { runRoutes } from './entrances/cohort/run-routes.ts';
import { deliveryRoutes } from './entrances/deliveries/delivery-routes.ts';
import { feedbackRoutes } from './entrances/feedback/feedback-routes.ts';
import { asyncRoutes } from './entrances/fhir-operation/async-routes.ts';
import { predictRoutes } from './entrances/fhir-operation/predict-routes.ts';
import { reviewRoutes } from './entrances/fhir-operation/review-routes.ts';
import { protocolRoutes } from './entrances/inference-protocol/protocol-routes.ts';
import { servedModels } from './entrances/inference-protocol/served-models.ts';
import { cardRoutes } from './entrances/models/card-routes.ts';
import { modelRoutes } from './entrances/models/model-routes.ts';
import { schemaRoutes } from './entrances/models/schema-routes.ts';
import { subscriptionRoutes, subscriptionsPath } from './entrances/subscription/subscription-routes.ts';
import { capabilityStatement, type OfferedSecurity, offeredOperation } from './fhir/capability-statement.ts';
import { smartConfigurationRoutes } from './http/access/smart-configuration-routes.ts';
import { fhirRoutes } from './http/fhir-routes.ts';
import { ownKeysPath, ownKeysRoutes } from './http/own-keys-routes.ts';
import type { MountedRoute } from './http/server-app.ts';
import type { Catalog } from './model-catalog/catalog.ts';
import { choiceLabel, isServiceOff } from './model-catalog/cds-services.ts';
import { readFeedback, storeFeedback } from './monitoring/cds-feedback.ts';
import { readFeedbackRates } from './monitoring/feedback-rates.ts';
import { holdBack } from './monitoring/held-cards.ts';
import { readReviewRates, readReviews } from './monitoring/report-reviews.ts';
import { packageVersion } from './package-version.ts';
import type { Clock } from './platform/clock.ts';
import type { Config } from './platform/config.ts';
import { siteDay } from './platform/site-day.ts';
import type { House } from './wire.ts';
import type { Access } from './wire-access.ts';
import { ownBases } from './wire-account.ts';
import { predictionAccess, runAccess } from './wire-data-access.ts';
import { findEarlier, isOwnStore } from './wire-earlier.ts';
import { forgetOf } from './wire-forget.ts';
import { hookReports } from './wire-hook-reports.ts';
import { predictOperationOf } from './wire-predict-operation.ts';
import { reviewOperationOf } from './wire-review-operation.ts';
import { deviceOf } from './wire-served-models.ts';

/** Below these paths everything is ours; what lies elsewhere belongs to the app this one is mounted in. */
export const adminPath = '/admin/models';
const subjectsPath = '/admin/subjects';
export const ownPaths = [
  adminPath,
  subjectsPath,
  '/models',
  '/schemas',
  '/runs',
  '/deliveries',
  '/fhir/R4',
  '/cds-services',
  '/cds-feedback',
  subscriptionsPath,
];

/** What callers must show. */
export interface Tokens {
  readonly protocol: string | undefined;
  readonly admin: string | undefined;
}

/** Who may call. */
export interface Callers {
  readonly tokens: Tokens;
  /** Absent: everybody may, on a loopback address. */
  readonly access: Access | undefined;
  /** Counts requests of CDS clients, who are proved here only. */
  readonly limit: MountedRoute['handler'] | undefined;
}

const noAuthentication: Omit<OfferedSecurity, 'cors'> = {
  smart: false,
  description: 'Nobody is asked for a token: the server listens on a loopback address only.',
};

const authentication: Omit<OfferedSecurity, 'cors'> = {
  smart: true,
  description: 'SMART Backend Services: access tokens of the listed issuers, with scopes of version 1 or 2.',
};

/** Those at a bedside first. Operations before reads: the store would take `$predict` for an id. */
export function routesOf(house: House, config: Config, clock: Clock, callers: Callers): MountedRoute[] {
  const { tokens, access, limit } = callers;
  const { protocol: protocolToken } = tokens;
  const { repository, catalog, fhirBase } = house;
  const { serverUrl } = house.prediction;
  const feedbackFrame = { tenant: config.tenant, cipher: house.sealing.values };
  const today = (): string => siteDay(clock.now(), config.siteTimeZone);
  const maxBodyBytes = config.maxBodyMb * 1_000_000;
  const by = { authorise: predictionAccess(catalog), predict: house.predict };
  const operation = predictOperationOf(house, config, by);
  const review = reviewOperationOf(house, config, clock);
  const statement = capabilityStatement({
    baseUrl: fhirBase,
    version: packageVersion(),
    date: clock.now(),
    operations: [operation, review].map(({ definition }) => offeredOperation(definition)),
    security: { ...(access === undefined ? noAuthentication : authentication), cors: config.corsOrigins.length > 0 },
    readOnly: [{ type: 'AuditEvent', searchParam: [...auditSearchParameters] }],
  });
  const audit = {
    database: house.database,
    tenant: config.tenant,
    timeZone: config.siteTimeZone,
    maxBodyBytes,
    fhirBase,
    own: ownBases(house),
  };
  return [
    { path: '/fhir/R4', handler: reviewRoutes(review) },
    {
      path: '/fhir/R4',
      handler: predictRoutes(operation, {
        maxBodyBytes,
        timeoutMs: config.predictTimeoutMs,
        asyncAboveSeconds: config.asyncAboveSeconds,
        storeBase: fhirBase,
        jobs: house.operationJobs,
        now: () => clock.now(),
      }),
    },
    { path: '/fhir/R4', handler: asyncRoutes(house.operationJobs, () => clock.now()) },
    ...(access === undefined ? [] : [{ path: '/cds-services', handler: access.cdsCallers }]),
    ...(limit === undefined ? [] : [{ path: '/cds-services', handler: limit }]),
    { path: '/cds-services', handler: cdsRoutes(hookOptions(house, config, clock)) },
    { path: '/models', handler: cardRoutes({ catalog, deviceOf, today }) },
    { path: '/models', handler: modelRoutes(catalog, config.optOutBy, { serverUrl, today }) },
    { path: '/schemas', handler: schemaRoutes() },
    { path: '/runs', handler: runRoutes(house.runs, { timeZone: config.siteTimeZone, ...runAccess(catalog) }) },
    ...(house.subscriptions === undefined
      ? []
      : [
          {
            path: subscriptionsPath,
            handler: subscriptionRoutes({
              subscriptions: house.subscriptions.declared,
              notices: house.subscriptions.notices,
              maxBodyBytes,
              event: house.prediction.event,
            }),
          },
        ]),
    { path: '/deliveries', handler: deliveryRoutes(house.deliveries) },
    {
      path: '/cds-feedback',
      handler: feedbackRoutes(
        {
          page: (period, count, after) =>
            readFeedback(house.database.background, feedbackFrame, period, { count, after }),
          rates: (period) => readFeedbackRates(house.database.background, config.tenant, period),
          reviews: (period, count, after) =>
            readReviews(house.database.background, feedbackFrame, period, { count, after }),
          reviewRates: (period) => readReviewRates(house.database.background, config.tenant, period),
          labelOf: (of) => choiceLabel(catalog.list(), of),
        },
        { timeZone: config.siteTimeZone },
      ),
    },
    {
      path: subjectsPath,
      handler: forgetRoutes({
        commandLineToken: house.adminToken,
        forget: forgetOf(house, config, clock),
      }),
    },
    { path: adminPath, handler: adminRoutes(adminOptions(house, tokens.admin)) },
    ...(protocolToken === undefined
      ? []
      : [
          {
            path: '/v2',
            handler: protocolRoutes({
              models: servedModels(catalog),
              token: protocolToken,
              version: packageVersion(),
              maxBodyBytes,
              timeoutMs: config.predictTimeoutMs,
            }),
          },
        ]),
    ...(house.ownKeys === undefined ? [] : [{ path: ownKeysPath, handler: ownKeysRoutes(house.ownKeys) }]),
    ...(access === undefined
      ? []
      : [{ path: '/fhir/R4', handler: smartConfigurationRoutes(access.smartConfiguration) }]),
    { path: '/fhir/R4', handler: auditRoutes(audit) },
    { path: '/fhir/R4', handler: fhirRoutes({ repository, capabilityStatement: statement, maxBodyBytes }) },
  ];
}

function hookOptions(house: House, config: Config, clock: Clock): Parameters<typeof cdsRoutes>[0] {
  const { tenant } = config;
  return {
    cdsHooksVersion: config.cdsHooksVersion,
    maxBodyBytes: config.maxBodyMb * 1_000_000,
    entrance: {
      services: servicesNow(house, config),
      isOff: (service) => isServiceOff(house.catalog, service),
      predict: house.predict,
      findings: (value, path) => house.validator.findings(value, path),
      holdBack: (card) => holdBack(house.database, { tenant, at: clock.now() }, card),
      findEarlier: (asked) => findEarlier(house, config, clock, asked),
      reports: hookReports(house, config),
      isOwnStore: (base) => isOwnStore(house, base),
      deadlineMs: config.cdsDeadlineMs,
      timeoutMs: config.predictTimeoutMs,
      timeZone: config.siteTimeZone,
      serverUrl: house.prediction.serverUrl,
      newId: randomUUID,
      now: () => clock.now(),
    },
    storeFeedback: (service, feedback) =>
      storeFeedback(
        house.database,
        { tenant, service, receivedAt: clock.now(), cipher: house.sealing.values },
        feedback,
      ),
  };
}

function adminOptions(house: House, http: string | undefined): AdminOptions {
  return {
    desk: house.versions.desk,
    reload: house.versions.reload,
    tokens: { commandLine: house.adminToken, ...(http === undefined ? {} : { http }) },
  };
}

/** The services as models are loaded and promoted now; made once for each change. */
function servicesNow({ catalog }: House, { optOutBy, demonstrationModels }: Config): () => readonly HookService[] {
  const made = (of: Catalog): HookService[] => hookServices(of, optOutBy, demonstrationModels === 'on');
  let seen = catalog.current();
  let services = made(seen);
  return () => {
    const now = catalog.current();
    if (now !== seen) services = made(now);
    seen = now;
    return services;
  };
}
