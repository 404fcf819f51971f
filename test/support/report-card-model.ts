import { copyModel, type ModelFolder } from './model-folder.ts';

/** A folder of `chest-phantom`, whose reports are shown as cards of the service `chest-phantom` at patient-view. */
export async function reportCardModel(): Promise<ModelFolder> {
  const models = await copyModel('chest-phantom');
  await models.edit('manifest.json', (json) => {
    const scored = json.outcomes[0].classes.map(({ code }: { code: string }) => ({ band: code, show: 'warning' }));
    json.cdsHooks = [
      {
        hook: 'patient-view',
        title: 'Drawn pictures',
        description: 'Shows the report of the newest drawn picture.',
        outcome: 'drawn',
        cards: { scored, abstained: 'info', notEligible: 'none' },
      },
    ];
  });
  await models.seal();
  return models;
}
