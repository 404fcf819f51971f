import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeConfig, inferenceEnvironment, readConfig, readConfigFromProcess } from '../../src/platform/config.ts';
import { settings } from '../../src/platform/config-schema.ts';
import { renderEnvExample } from '../../src/platform/render-env-example.ts';

const issuesOf = (env: Record<string, string>): string[] => {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toMatchObject({ name: 'PredictionError', code: 'CONFIG_INVALID' });
    return (error as { issues: { message: string }[] }).issues.map(({ message }) => message);
  }
  return [];
};

describe('settings', () => {
  test('all have a default but the URLs', () => {
    expect(readConfig({})).toEqual({
      port: 8080,
      host: '127.0.0.1',
      auth: 'none',
      dataDir: '.fhirsight',
      modelsDir: 'models',
      siteTimeZone: 'UTC',
      tenant: 'default',
      samplePatients: 100,
      maxBodyMb: 10,
      fhirTimeoutMs: 10_000,
      fhirMaxResources: 20_000,
      predictTimeoutMs: 30_000,
      asyncAboveSeconds: 10,
      drainTimeoutMs: 30_000,
      logLevel: 'info',
      optOutBy: ['consent', 'group'],
      cdsFhirServers: [],
      outboundPrivateHosts: [],
      corsOrigins: [],
      cdsDeadlineMs: 500,
      cdsHooksVersion: '2.0',
      demonstrationModels: 'off',
      inferenceProtocol: 'off',
      maxOpenRequests: 128,
      maxRequestsPerMinute: 6_000,
      runChunkSize: 250,
    });
  });

  test('are read from their variables, parsed, and frozen', () => {
    const config = readConfig({
      PORT: '0',
      HOST: '::1',
      FHIR_BASE_URL: 'https://ehr.example.org/fhir/',
      DATABASE_URL: 'postgres://a:b@db/c',
      SITE_TIME_ZONE: 'Europe/Berlin',
      OPT_OUT_BY: 'group',
      LOG_LEVEL: 'debug',
    });
    expect(config).toMatchObject({
      port: 0,
      host: '::1',
      fhirBaseUrl: 'https://ehr.example.org/fhir',
      databaseUrl: 'postgres://a:b@db/c',
      siteTimeZone: 'Europe/Berlin',
      optOutBy: ['group'],
      logLevel: 'debug',
    });
    expect(Object.isFrozen(config) && Object.isFrozen(config.optOutBy)).toBe(true);
    expect(Object.isFrozen(readConfig({}).optOutBy)).toBe(true);
  });

  test('that are empty count as not set, and "none" searches no record for an opt-out', () => {
    expect(readConfig({ FHIR_BASE_URL: '', PORT: ' ' })).toEqual(readConfig({}));
    expect(readConfig({ OPT_OUT_BY: 'none' }).optOutBy).toEqual([]);
  });

  test.each(['127.0.0.1', '127.3.2.1', '::1', 'localhost', '0:0:0:0:0:0:0:1'])(
    'HOST may be the loopback address %s',
    (host) => {
      expect(readConfig({ HOST: host }).host).toBe(host);
    },
  );

  test.each(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'example.org', '127.0.0.1.example.org'])(
    'HOST %s with AUTH=none refuses to start and says how to go on',
    (host) => {
      expect(issuesOf({ HOST: host })).toEqual([
        expect.stringMatching(
          /^HOST is ".*AUTH=required and ACCESS_FILE.*or leave HOST at 127\.0\.0\.1.*proxy.*PUBLIC_BASE_URL/,
        ),
      ]);
      const closed = { AUTH: 'required', ACCESS_FILE: 'access.json', PUBLIC_BASE_URL: 'https://risk.example.org' };
      expect(readConfig({ ...closed, HOST: host })).toMatchObject({ host, auth: 'required' });
    },
  );

  test.each(['127.0.0', '[::1]', 'example.org:80', '*', 'a..b', 'http://x', '-x'])('HOST %s is no address', (host) => {
    expect(issuesOf({ HOST: host })).toEqual([expect.stringMatching(/^HOST is ".*allowed is an IP address/)]);
  });

  test('AUTH=required without ACCESS_FILE, or for other machines without PUBLIC_BASE_URL, does not start', () => {
    expect(issuesOf({ AUTH: 'required' })).toEqual([expect.stringContaining('ACCESS_FILE is not set')]);
    expect(issuesOf({ AUTH: 'required', ACCESS_FILE: 'a.json', HOST: '0.0.0.0' })).toEqual([
      expect.stringContaining('PUBLIC_BASE_URL is not set'),
    ]);
    expect(readConfig({ AUTH: 'required', ACCESS_FILE: 'a.json' })).toMatchObject({ auth: 'required' });
  });

  test('an ACCESS_FILE that AUTH=none would ignore does not start', () => {
    expect(issuesOf({ ACCESS_FILE: 'a.json' })).toEqual([
      expect.stringContaining('AUTH is none, which lets in everybody'),
    ]);
  });

  test.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', 'http'],
    ['FHIR_BASE_URL', 'ehr.example.org/fhir'],
    ['FHIR_BASE_URL', 'ftp://ehr.example.org'],
    ['FHIR_BASE_URL', 'https://ehr.example.org/fhir?x=1'],
    ['PUBLIC_BASE_URL', '/fhir'],
    ['PUBLIC_BASE_URL', 'https://risk.example.org/?x=1'],
    ['SITE_TIME_ZONE', 'Berlin'],
    ['SITE_TIME_ZONE', '+02:00'],
    ['TENANT', 'Ward 7'],
    ['TENANT', 'a'.repeat(65)],
    ['SAMPLE_PATIENTS', '-1'],
    ['MAX_BODY_MB', '0'],
    ['FHIR_TIMEOUT_MS', '10s'],
    ['FHIR_MAX_RESOURCES', '0'],
    ['PREDICT_TIMEOUT_MS', 'Infinity'],
    ['DRAIN_TIMEOUT_MS', 'NaN'],
    ['DRAIN_TIMEOUT_MS', '1e3'],
    ['MAX_BODY_MB', '0x10'],
    ['AUTH', 'off'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'https://ehr.example.org/'],
    ['CORS_ORIGINS', 'https://EHR.example.org'],
    ['CORS_ORIGINS', 'https://ehr.example.org:443'],
    ['CORS_ORIGINS', 'ehr.example.org'],
    ['CORS_ORIGINS', 'file:///'],
    ['LOG_LEVEL', 'verbose'],
    ['OPT_OUT_BY', 'consent,flag'],
    ['OPT_OUT_BY', 'consent,consent'],
  ])('%s=%s stops the start with the variable, the value and what is allowed', (name, value) => {
    const [message, ...more] = issuesOf({ [name]: value });
    expect(more).toEqual([]);
    expect(message).toContain(`${name} is ${JSON.stringify(value)}; allowed is `);
  });

  test('CDS-6, CDS-12: no call and no token of a call crosses a network in the clear: plain HTTP is for this machine alone', () => {
    for (const name of ['PUBLIC_BASE_URL', 'CDS_FHIR_SERVERS']) {
      for (const host of ['ehr.example.org', '10.0.0.5', 'localhost.example.org', '127.0.0.1.example.org'])
        expect(issuesOf({ [name]: `http://${host}/x` })).toEqual([expect.stringMatching(`^${name} is .* https URL`)]);
      for (const url of ['https://ehr.example.org/x', 'http://127.0.0.1:9/x', 'http://[::1]:9/x', 'http://localhost/x'])
        expect(issuesOf({ [name]: url })).toEqual([]);
    }
    expect(issuesOf({ CDS_FHIR_SERVERS: 'https://a.example.org/fhir,http://b.example.org/fhir' })).toHaveLength(1);
  });

  test('a URL that may hold a password is never shown, bad or good', () => {
    const secret = 'hunter2';
    const bad = issuesOf({ DATABASE_URL: `mysql://u:${secret}@db/x`, FHIR_BASE_URL: `https://u:${secret}@ehr/fhir` });
    expect(bad).toHaveLength(2);
    expect(bad.join()).not.toContain(secret);
    const described = describeConfig(
      readConfig({ DATABASE_URL: `postgres://u:${secret}@db:5432/x?sslpassword=${secret}` }),
    );
    expect(JSON.stringify(described)).not.toContain(secret);
    expect(described).toMatchObject({ DATABASE_URL: 'postgres://u:***@db:5432/x?sslpassword=***', PORT: 8080 });
  });

  test('all that is wrong is said at once', () => {
    expect(issuesOf({ PORT: 'x', LOG_LEVEL: 'x', FHIR_BASE: 'x' })).toHaveLength(3);
  });

  test.each([
    ['FHIRSIGHT_PORT', 'PORT'],
    ['FHIR_URL', 'FHIR_BASE_URL'],
    ['FHIR_BASEURL', 'FHIR_BASE_URL'],
    ['DATA_FOLDER', 'DATA_DIR'],
    ['DATADIR', 'DATA_DIR'],
    ['PROT', 'PORT'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['TENNANT', 'TENANT'],
    ['SITE_TIMEZONE', 'SITE_TIME_ZONE'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['OPT_OUT_FROM', 'OPT_OUT_BY'],
    ['PREDICT_TIMEOUT', 'PREDICT_TIMEOUT_MS'],
  ])('%s stops the start and suggests %s', (name, nearest) => {
    expect(issuesOf({ [name]: '1' })).toEqual([expect.stringContaining(`${name} is not a setting`)]);
    expect(issuesOf({ [name]: '1' })[0]).toContain(nearest);
  });

  test('the variables of other programs are left alone', () => {
    const foreign =
      'HOME PATH HOSTNAME HOSTTYPE PWD OLDPWD USER SHELL TERM LANG LC_ALL TMPDIR LOGNAME MAIL PS1 SHLVL CI DATABASE DATABASE_HOST ' +
      'NODE_ENV NODE_OPTIONS npm_config_port npm_lifecycle_event INIT_CWD EDITOR COLOR POSTGRES_URL PGHOST PGPORT http_proxy ' +
      'NO_PROXY KUBERNETES_SERVICE_HOST KUBERNETES_PORT FHIR_SERVICE_HOST FHIR_SERVICE_PORT FHIR_SERVICE_PORT_HTTP ' +
      'FHIR_PORT_8080_TCP_ADDR MODEL SITE LOG DEBUG XDG_DATA_DIRS SSL_CERT_FILE SSL_CERT_DIR GITHUB_TOKEN VITEST TZ TEST_DATABASE_URL';
    const env = Object.fromEntries(foreign.split(' ').map((name) => [name, 'x']));
    expect(readConfig({ ...env, FHIR_PORT: 'tcp://10.0.0.1:8080' })).toEqual(readConfig({}));
  });

  test('of the process that runs the tests are readable', () => {
    expect(readConfigFromProcess()).toMatchObject({ host: expect.any(String) });
  });
});

describe('.env.example', () => {
  test('is what the schema says; otherwise run node scripts/write-env-example.ts', () => {
    expect(readFileSync(path.join(import.meta.dirname, '../../.env.example'), 'utf8')).toBe(renderEnvExample());
  });

  test('holds the defaults, which are read as such', () => {
    const lines = renderEnvExample().matchAll(/^# ([A-Z_]+)=(.*)$/gm);
    const env = Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
    expect(Object.keys(env)).toEqual(settings.map(({ name }) => name));
    expect(readConfig(env)).toEqual(readConfig({}));
  });
});

describe('the environment of a process that runs models', () => {
  test('has what finds libraries, devices and locales, and no secret', () => {
    const seen = {
      PATH: '/usr/bin',
      LD_LIBRARY_PATH: '/usr/local/cuda/lib64',
      VK_ICD_FILENAMES: '/usr/share/vulkan/icd.d/x.json',
      CUDA_VISIBLE_DEVICES: '1',
      NVIDIA_VISIBLE_DEVICES: 'all',
      LC_ALL: 'C.UTF-8',
    };
    const hidden = {
      DATABASE_URL: 'postgres://u:p@db/x',
      AWS_SECRET_ACCESS_KEY: 's',
      NODE_OPTIONS: '--inspect',
      NPM_TOKEN: 't',
      LD_PRELOAD: '/tmp/x.so',
      CUDA: undefined,
    };
    expect(inferenceEnvironment({ ...seen, ...hidden })).toEqual({ ...seen, NVIDIA_TF32_OVERRIDE: '0' });
  });

  test('rounds no inputs on NVIDIA devices, unless the site says so', () => {
    expect(inferenceEnvironment({})).toEqual({ NVIDIA_TF32_OVERRIDE: '0' });
    expect(inferenceEnvironment({ NVIDIA_TF32_OVERRIDE: '1' })).toEqual({ NVIDIA_TF32_OVERRIDE: '1' });
  });
});

describe('the client of another server', () => {
  const whole = {
    FHIR_BASE_URL: 'https://ehr.example.org/fhir',
    FHIR_CLIENT_ID: 'fhirsight',
    FHIR_CLIENT_KEYS_FILE: 'keys.json',
    FHIR_TOKEN_URL: 'https://auth.example.org/token',
    FHIR_CLIENT_SCOPES: 'system/*.read',
  };
  test('has an id, keys and a server', () => {
    expect(readConfig(whole)).toMatchObject({
      fhirClientId: 'fhirsight',
      fhirTokenUrl: 'https://auth.example.org/token',
    });
  });

  test.each(['FHIR_BASE_URL', 'FHIR_CLIENT_ID', 'FHIR_CLIENT_KEYS_FILE'])('stops the start without %s', (name) => {
    expect(issuesOf({ ...whole, [name]: '' })).toEqual([expect.stringContaining('must be set together')]);
  });

  test('sends no assertion over plain HTTP', () => {
    expect(issuesOf({ ...whole, FHIR_TOKEN_URL: 'http://auth.example.org/token' })).toHaveLength(1);
    expect(issuesOf({ ...whole, FHIR_TOKEN_URL: 'http://127.0.0.1:9/token' })).toEqual([]);
  });

  test('SM-6: shows its token to nobody between it and its server', () => {
    expect(issuesOf({ ...whole, FHIR_BASE_URL: 'http://ehr.example.org/fhir' })).toEqual([
      expect.stringMatching(/^FHIR_BASE_URL is plain HTTP to another machine.*https/),
    ]);
    expect(issuesOf({ ...whole, FHIR_BASE_URL: 'http://127.0.0.1:9/fhir' })).toEqual([]);
    expect(issuesOf({ FHIR_BASE_URL: 'http://hapi:8080/fhir' })).toEqual([]);
  });
});

test('EU-3: values and comments are not kept longer than the log that says whose they are', () => {
  const longer = { LOGS_KEPT_DAYS: '200', VALUES_KEPT_DAYS: '201', FEEDBACK_KEPT_DAYS: '3650' };
  expect(issuesOf(longer)).toEqual([
    expect.stringContaining('VALUES_KEPT_DAYS is 201, but LOGS_KEPT_DAYS is 200'),
    expect.stringContaining('FEEDBACK_KEPT_DAYS is 3650, but LOGS_KEPT_DAYS is 200'),
  ]);
  expect(readConfig({ LOGS_KEPT_DAYS: '200', VALUES_KEPT_DAYS: '200' })).toMatchObject({ valuesKeptDays: 200 });
  expect(readConfig({ VALUES_KEPT_DAYS: '400' })).toMatchObject({ valuesKeptDays: 400 });
});

test('a certificate without its key, and a key without its certificate, stop the start', () => {
  expect(issuesOf({ TLS_CERT_FILE: 'cert.pem' })).toEqual([expect.stringContaining('belong together')]);
  expect(issuesOf({ TLS_KEY_FILE: 'key.pem' })).toEqual([expect.stringContaining('belong together')]);
});
