import { hostname, userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import type { SwitchTarget } from '../../governance/versions/standing-of.ts';
import type { VersionDesk } from '../../governance/versions/version-desk.ts';
import { readConfigFromProcess } from '../../platform/config.ts';
import { PredictionError } from '../../platform/errors.ts';
import { runningServer } from '../running-server.ts';
import { withHouse } from '../with-house.ts';
import { AdminRefusal, askAdmin } from './ask-admin.ts';
import { showRecord } from './show-record.ts';

type Change = 'promote' | 'rollback' | 'disable' | 'enable' | 'shadow';

/** What each change takes, for messages. */
const forms: Readonly<Record<Change, string>> = {
  promote: 'ID@VERSION [--because TEXT]',
  rollback: 'ID [--because TEXT]',
  disable: 'ID[@VERSION] [--service SERVICE] --because TEXT',
  enable: 'ID[@VERSION] [--service SERVICE] [--because TEXT]',
  shadow: 'ID@VERSION on|off [--because TEXT]',
};

/** `fhirsight models promote`, `rollback`, `disable`, `enable` and `shadow`: one change, one record. @returns 0, or 1 where it was refused */
export async function changeVersion(change: Change, args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { because: { type: 'string' }, service: { type: 'string' } },
  });
  const [name = '', onOff, ...rest] = positionals;
  const [model = '', version, ...more] = name.split('@');
  const { service, because } = values;
  const isSwitch = change === 'disable' || change === 'enable';
  const isGood =
    model !== '' &&
    rest.length === 0 &&
    more.length === 0 &&
    (change === 'shadow' ? onOff === 'on' || onOff === 'off' : onOff === undefined) &&
    (change === 'promote' || change === 'shadow' ? version !== undefined && version !== '' : true) &&
    (change === 'rollback' ? version === undefined : true) &&
    (service === undefined || (isSwitch && version === undefined)) &&
    (change !== 'disable' || because !== undefined);
  if (!isGood) throw new PredictionError('PARAMETER_INVALID', `models ${change} needs ${forms[change]}.`);

  const by = `${userInfo().username}@${hostname()}`;
  const target: SwitchTarget = {
    model,
    ...(version === undefined ? {} : { version }),
    ...(service === undefined ? {} : { service }),
  };
  const config = readConfigFromProcess();
  const server = await runningServer(config);
  if (server === undefined) {
    const asked = { requester: by, way: 'command-line', because: because ?? 'No reason was given.' } as const;
    const record = await withHouse(
      config,
      ({ versions }) => changeHere(versions.desk, change, target, onOff === 'on', asked),
      'recorded',
    );
    process.stdout.write(showRecord(record));
    return 0;
  }
  const { model: id, ...body } = target;
  try {
    const record = await askAdmin(
      config,
      server,
      `${encodeURIComponent(id)}/${change === 'rollback' ? 'roll-back' : change}`,
      {
        ...body,
        by,
        ...(because === undefined ? {} : { because }),
        ...(change === 'shadow' ? { on: onOff === 'on' } : {}),
      },
    );
    process.stdout.write(showRecord(record as Parameters<typeof showRecord>[0]));
    return 0;
  } catch (error) {
    if (!(error instanceof AdminRefusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

function changeHere(
  desk: VersionDesk,
  change: Change,
  target: SwitchTarget,
  on: boolean,
  asked: Parameters<VersionDesk['promote']>[2],
): ReturnType<VersionDesk['promote']> {
  const { model, version = '' } = target;
  switch (change) {
    case 'promote':
      return desk.promote(model, version, asked);
    case 'rollback':
      return desk.rollBack(model, asked);
    case 'disable':
      return desk.disable(target, asked);
    case 'enable':
      return desk.enable(target, asked);
    case 'shadow':
      return desk.shadow(model, version, on, asked);
  }
}
