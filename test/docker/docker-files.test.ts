import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/markdown-blocks.ts';
import { type PlainYaml, parsePlainYaml } from '../support/plain-yaml.ts';

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
type Mapping = Record<string, PlainYaml>;

const dockerfile = read('docker/Dockerfile');
/** The instructions of the last stage. */
const final = dockerfile
  .slice(dockerfile.lastIndexOf('\nFROM '))
  .split('\n')
  .filter((line) => !line.startsWith('#'));
const compose = parsePlainYaml(read('docker/compose.yaml')) as Mapping;
const services = compose.services as Record<string, Mapping>;

describe('docker/Dockerfile', () => {
  it('takes the Node.js that the project is developed with, by its full version', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
    expect(dockerfile).toContain(`ARG NODE_IMAGE=node:${devDependencies.node}-bookworm-slim\n`);
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases.length).toBeGreaterThan(1);
    for (const base of bases) expect(base).toMatch(/^\$\{NODE_IMAGE\}$/);
  });

  it('runs as another user than root, by number, on a volume of its own', () => {
    const users = final.filter((line) => line.startsWith('USER '));
    expect(users).toEqual(['USER 1000:1000']);
    expect(final).toContain('VOLUME /data');
    expect(final.some((line) => line.startsWith('ENV ') && line.includes('DATA_DIR=/data'))).toBe(true);
  });

  it('says how it is stopped and how its health is asked, and opens no port', () => {
    expect(final).toContain('STOPSIGNAL SIGTERM');
    expect(final.find((line) => line.startsWith('HEALTHCHECK '))).toMatch(
      / CMD \["node", "bin\/fhirsight.js", "health"\]$/,
    );
    expect(final.some((line) => line.startsWith('EXPOSE'))).toBe(false);
    expect(final.join('\n')).not.toContain('HOST=');
  });

  it('takes no scripts of packages and no development dependencies into the image', () => {
    const installs = [...dockerfile.matchAll(/npm ci[^&\n]*/g)].map(([command]) => command.trim());
    expect(installs).toEqual(['npm ci --ignore-scripts', 'npm ci --omit=dev --ignore-scripts']);
    expect(final).toContain('COPY --from=dependencies /app/node_modules node_modules');
  });

  it('copies only what .dockerignore lets through', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
      sources.split(' '),
    );
    expect(new Set(copied)).toEqual(new Set(allowed));
  });
});

describe('docker/Dockerfile.cuda', () => {
  const cuda = read('docker/Dockerfile.cuda');
  const lines = cuda.split('\n').filter((line) => !line.startsWith('#'));
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };

  it('stands on the image of docker/Dockerfile, and leaves its user, entry, volume and health check as they are', () => {
    expect(cuda).toContain('ARG FHIRSIGHT_IMAGE=fhirsight\n');
    const bases = [...cuda.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases).toEqual(['PYTHON_IMAGE', 'FHIRSIGHT_IMAGE'].map((name) => `$\{${name}}`));
    const changing = /^(USER|ENTRYPOINT|CMD|VOLUME|HEALTHCHECK|EXPOSE|STOPSIGNAL|WORKDIR) /;
    expect(lines.filter((line) => changing.test(line))).toEqual([]);
  });

  it('takes the provider of the very release of ONNX Runtime that is installed: another would be another library', () => {
    expect(cuda).toContain(`onnxruntime-gpu==${dependencies['onnxruntime-node']} `);
    const [binaries] = readdirSync(path.join(root, 'node_modules/onnxruntime-node/bin'));
    expect(cuda).toContain(` node_modules/onnxruntime-node/bin/${binaries}/linux/x64/\n`);
  });

  it('pins every library to a version, and runs no code of a package', () => {
    const [, packages = ''] = cuda.match(/--target \/cuda \\\n([\s\S]*?)\n(?! )/) ?? [];
    const names = packages.split(/[\s\\]+/).filter((name) => name !== '');
    expect(names.length).toBeGreaterThan(7);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+==[\d.]+$/);
    expect(cuda).toContain('--only-binary=:all:');
  });

  it('tells the loader where the libraries are, and asks the container toolkit for no more than computing', () => {
    expect(cuda).toContain('COPY --from=cuda /libraries /opt/cuda/lib\n');
    expect(lines.find((line) => line.startsWith('ENV '))).toBe(
      'ENV LD_LIBRARY_PATH=/opt/cuda/lib NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility',
    );
  });
});

describe('docker/compose.yaml', () => {
  it('starts fhirsight, PostgreSQL and HAPI FHIR, and Prometheus only where it is asked for', () => {
    expect(Object.keys(services)).toEqual(['fhirsight', 'postgres', 'hapi', 'prometheus']);
    expect(services.prometheus?.profiles).toEqual(['monitoring']);
    expect(services.fhirsight?.build).toEqual({ context: '..', dockerfile: 'docker/Dockerfile' });
  });

  it.each(Object.entries(services))('gives %s a read-only root, no capability and no new privilege', (_, service) => {
    expect(service).toMatchObject({
      read_only: 'true',
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(service.tmpfs).toContain('/tmp');
    expect(service).not.toHaveProperty('privileged');
  });

  it('opens nothing beyond the loopback address of the host', () => {
    expect(services.fhirsight?.network_mode).toBe('host');
    expect(services.fhirsight?.environment).not.toHaveProperty('HOST');
    for (const { ports = [] } of Object.values(services))
      for (const port of ports as string[]) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('pins every image to a version', () => {
    for (const { image } of Object.values(services)) {
      if (image !== undefined) expect(image).toMatch(/:v?\d+\.\d+/);
    }
  });

  it('has no secret of its own: it stops where the password is not set', () => {
    const text = read('docker/compose.yaml');
    const uses = [...text.matchAll(/\$\{POSTGRES_PASSWORD[^}]*\}/g)].map(([use]) => use);
    expect(uses.length).toBeGreaterThan(1);
    for (const use of uses) expect(use).toMatch(/^\$\{POSTGRES_PASSWORD:\?/);
    expect(read('docker/env.example')).toMatch(/^POSTGRES_PASSWORD=$/m);
  });

  it('waits for a PostgreSQL that is healthy, at the address that it publishes', () => {
    const { fhirsight = {}, postgres = {}, hapi = {} } = services;
    const { depends_on, environment } = fhirsight as { depends_on: Mapping; environment: Mapping };
    expect(depends_on.postgres).toEqual({ condition: 'service_healthy' });
    expect((postgres.healthcheck as Mapping).test).toContain('pg_isready');
    const [published = ''] = postgres.ports as string[];
    const [address, port] = published.split(':');
    expect(environment.DATABASE_URL).toContain(`@${address}:${port}/`);
    const [ehr = ''] = hapi.ports as string[];
    expect(environment.FHIR_BASE_URL).toBe(`http://${ehr.split(':').slice(0, 2).join(':')}/fhir`);
  });

  it('gives fhirsight longer to stop than it waits for requests', () => {
    expect(Number.parseInt(String(services.fhirsight?.stop_grace_period), 10)).toBeGreaterThan(30);
  });
});

describe('docker/compose.imaging.yaml', () => {
  const text = read('docker/compose.imaging.yaml');
  const {
    orthanc = {},
    fhirsight = {},
    ...others
  } = (parsePlainYaml(text) as Mapping).services as Record<string, Mapping>;
  const settings = JSON.parse(read('docker/orthanc/orthanc.json')) as Record<string, unknown>;
  const { servers } = JSON.parse(read('docker/imaging/imaging.json')) as {
    servers: Record<string, Record<string, string>>;
  };

  it('adds Orthanc to docker/compose.yaml, with a read-only root, no capability and no new privilege', () => {
    expect(others).toEqual({});
    expect(orthanc.image).toMatch(/:\d+\.\d+/);
    expect(orthanc).toMatchObject({ read_only: 'true', cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(orthanc.ports).toEqual([`127.0.0.1:8042:${settings.HttpPort}`]);
    expect(orthanc.volumes).toContain(`orthanc-data:${settings.StorageDirectory}`);
    expect(settings.IndexDirectory).toBe(settings.StorageDirectory);
  });

  it('has fhirsight ask it where it listens, as the user that it knows', () => {
    const environment = fhirsight.environment as Mapping;
    const [folder = '', inside] = String((fhirsight.volumes as string[])[0]).split(':');
    expect(environment.IMAGING_FILE).toBe(`${inside}/imaging.json`);
    expect(readdirSync(path.join(root, 'docker', folder))).toContain('imaging.json');
    const { url, user = '', passwordVariable = '' } = servers.orthanc ?? {};
    expect(url).toBe('http://127.0.0.1:8042/dicom-web');
    expect(settings).toMatchObject({ AuthenticationEnabled: true, DicomWeb: { Enable: true, Root: '/dicom-web/' } });
    expect(settings.RegisteredUsers).toEqual({ [user]: `$\{${passwordVariable}}` });
    for (const service of [fhirsight, orthanc])
      expect(Object.keys(service.environment as Mapping)).toContain(passwordVariable);
  });

  it('has no secret of its own: it stops where the password is not set', () => {
    const uses = [...text.matchAll(/\$\{ORTHANC_PASSWORD[^}]*\}/g)].map(([use]) => use);
    expect(uses).toHaveLength(2);
    for (const use of uses) expect(use).toMatch(/^\$\{ORTHANC_PASSWORD:\?/);
    expect(read('docker/env.example')).toMatch(/^ORTHANC_PASSWORD=$/m);
  });
});

describe('reading plain YAML', () => {
  it.each([
    ['a tab', 'a:\n\tb: c'],
    ['a key given twice', 'a: 1\na: 2'],
    ['an anchor', 'a: &x 1'],
    ['folded text', 'a: >'],
    ['a step to the side', 'a:\n  b: 1\n c: 2'],
  ])('refuses %s', (_, text) => {
    expect(() => parsePlainYaml(text)).toThrow();
  });
});
