/**
 * For scripts/prove-docker.sh: what an image says about its container, as the configuration of an OCI runtime.
 *
 *     node scripts/docker-runtime-config.ts IMAGE.JSON ROOT_FILE_SYSTEM DATA_FOLDER PORT
 *     node scripts/docker-runtime-config.ts --healthcheck IMAGE.JSON      (its words, each ended by NUL)
 *
 * User, entry, environment, folder and volume are the image's; the rest is what docker/compose.yaml asks of an engine:
 * a read-only root, the host's network, no capabilities, no new privileges.
 */
import { readFileSync } from 'node:fs';

const healthOnly = process.argv[2] === '--healthcheck';
const [imageFile, rootfs, dataFolder, port] = process.argv.slice(healthOnly ? 3 : 2);
if (imageFile === undefined) throw new Error('name the file that buildah inspect wrote');
const { config } = JSON.parse(readFileSync(imageFile, 'utf8')).Docker;

if (healthOnly) {
  const [kind, ...words] = config.Healthcheck.Test;
  if (kind !== 'CMD') throw new Error(`the health check is ${kind}, not words of its own`);
  process.stdout.write(words.map((word: string) => `${word}\0`).join(''));
} else {
  const [uid, gid] = config.User.split(':').map(Number);
  const [volume, ...others] = Object.keys(config.Volumes);
  if (volume === undefined || others.length > 0) throw new Error('the image must have one volume');
  if (!(uid > 0) || !(gid > 0)) throw new Error(`the image runs as ${config.User}`);
  if (config.StopSignal !== 'SIGTERM') throw new Error(`the image stops by ${config.StopSignal}`);
  const noCapabilities = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] };
  const kernel = (destination: string, type: string, ...options: string[]) => ({
    destination,
    type,
    source: type,
    options: ['nosuid', ...options],
  });
  console.log(
    JSON.stringify({
      ociVersion: '1.0.2',
      process: {
        user: { uid, gid },
        args: [...config.Entrypoint, ...config.Cmd],
        env: [...config.Env, `PORT=${port}`],
        cwd: config.WorkingDir,
        capabilities: noCapabilities,
        noNewPrivileges: true,
      },
      root: { path: rootfs, readonly: true },
      mounts: [
        kernel('/proc', 'proc', 'noexec', 'nodev'),
        kernel('/dev', 'tmpfs', 'strictatime', 'mode=755', 'size=65536k'),
        kernel('/tmp', 'tmpfs', 'noexec', 'nodev', 'mode=1777'),
        { destination: volume, type: 'bind', source: dataFolder, options: ['bind', 'rw', 'nosuid', 'nodev'] },
      ],
      linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'ipc' }, { type: 'uts' }] },
    }),
  );
}
